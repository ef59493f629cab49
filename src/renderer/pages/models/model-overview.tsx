import type { Model } from '../../../contract/model.ts'
import detailClasses from '../../components/detail.module.css'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { ShareBars } from '../../components/share-bars.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount, formatCounted, formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import classes from './model-detail.module.css'
import { PortTable } from './port-table.tsx'

/** Numbers, inputs and outputs, operators and weights of a model. */
export function ModelOverview({ model }: { model: Model }) {
  const { report } = model
  const operators = Object.entries(report.opCounts)
    .sort((a, b) => b[1] - a[1])
    .map(([name, amount]) => ({ name, amount, text: formatCount(amount) }))
  const weights = Object.entries(report.weightTypes)
    .sort((a, b) => b[1] - a[1])
    .map(([name, amount]) => ({ name, amount, text: formatBytes(amount) }))
  const uncounted = report.uncountedNodes > 0 ? ` (${formatCounted(report.uncountedNodes, 'node')} not counted)` : ''
  return (
    <div className={detailClasses.sections}>
      <Section title="At a glance">
        <Facts
          facts={[
            { label: 'Size', value: formatBytes(report.sizeBytes) },
            { label: 'Parameters', value: formatLargeCount(report.parameters) },
            { label: 'MACs per sample', value: report.macs === null ? 'shapes unknown' : `${formatLargeCount(report.macs)}${uncounted}` },
            { label: 'Weights that are zero', value: formatRoughPercent(report.zeroFraction) },
            { label: 'Nodes', value: formatCount(report.nodeCount) },
            { label: 'Opset', value: report.opset },
            { label: 'IR version', value: report.irVersion },
            { label: 'Producer', value: report.producer ? plainText(report.producer, 80) : 'not said' },
            { label: 'Added', value: formatExactMoment(model.createdAt) },
          ]}
        />
      </Section>
      <Section title="Inputs and outputs" flush>
        <PortTable inputs={report.inputs} outputs={report.outputs} />
      </Section>
      <Section title="Operators" aside={formatCounted(operators.length, 'kind')}>
        <ShareBars bars={operators} />
      </Section>
      <Section title="Weights by type" aside={formatBytes(report.parameterBytes)}>
        {weights.length > 0 ? <ShareBars bars={weights} /> : <span className="es-dim">This model has no weights.</span>}
      </Section>
      {report.labels ? (
        <Section title="Class labels" aside={formatCount(report.labels.length)}>
          <ol className={classes.labels}>
            {report.labels.slice(0, 200).map((label, index) => (
              <li key={index} className="es-ellipsis" title={plainText(label)}>
                <span className="es-dim">{index}</span> {plainText(label, 60)}
              </li>
            ))}
          </ol>
        </Section>
      ) : null}
    </div>
  )
}
