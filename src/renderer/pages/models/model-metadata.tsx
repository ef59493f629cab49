import type { Model } from '../../../contract/model.ts'
import { CopyValue } from '../../components/copy-value.tsx'
import detailClasses from '../../components/detail.module.css'
import { Facts } from '../../components/facts.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import classes from './model-detail.module.css'

/** Where a model came from and what its file says of itself. */
export function ModelMetadata({ model }: { model: Model }) {
  const entries = Object.entries(model.report.metadata)
  const domains = Object.entries(model.report.domains)
    .map(([domain, version]) => `${plainText(domain, 60) || 'ai.onnx'} ${version}`)
    .join(', ')
  return (
    <div className={detailClasses.sections}>
      <Section title="File">
        <Facts
          facts={[
            {
              label: 'SHA-256',
              wide: true,
              value: (
                <span className={classes.hashLine}>
                  <span className="es-mono es-wrap">{model.sha256}</span>
                  <CopyValue value={model.sha256} what="SHA-256" />
                </span>
              ),
            },
            ...(model.source ? [{ label: 'Imported from', value: plainText(model.source, 1000), wide: true }] : []),
            { label: 'Operator sets', value: domains || 'none', wide: true },
          ]}
        />
      </Section>
      <Section title="Metadata" aside={`${entries.length}`} flush>
        {entries.length === 0 ? (
          <div className={classes.nothing}>The file carries no metadata.</div>
        ) : (
          <table className={tableClasses.table}>
            <tbody>
              {entries.slice(0, 200).map(([key, value]) => (
                <tr key={key}>
                  <td className="es-mono es-wrap es-dim">{plainText(key, 120)}</td>
                  <td className="es-wrap">{plainText(value, 2000)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
    </div>
  )
}
