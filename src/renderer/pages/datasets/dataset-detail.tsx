import { Button } from '@mantine/core'
import { IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { call } from '../../backend/call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { Facts } from '../../components/facts.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { ShareBars } from '../../components/share-bars.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { preprocessingText } from '../../text/preprocessing-text.ts'

/** Arrays, class balance and preprocessing of a dataset. */
export function DatasetDetail({ dataset }: { dataset: Dataset }) {
  const [, navigate] = useLocation()
  const [removing, setRemoving] = useState(false)
  const { report } = dataset
  const classes = Object.entries(report.classCounts ?? {})
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, amount]) => ({ name: `class ${name}`, amount, text: formatCount(amount) }))
  return (
    <div className={detailClasses.detail} data-testid="dataset-detail">
      <DetailHeader
        title={dataset.name}
        actions={
          <Button variant="default" leftSection={<IconTrash size={14} />} onClick={() => setRemoving(true)}>
            Remove…
          </Button>
        }
      />
      <div className={detailClasses.sections}>
        <Section title="At a glance">
          <Facts
            facts={[
              { label: 'Samples', value: formatCount(report.samples) },
              { label: 'Format', value: dataset.format },
              { label: 'Size', value: formatBytes(report.sizeBytes) },
              {
                label: 'Labels',
                value: report.labelled ? `${formatCount(classes.length)} classes` : 'none: accuracy cannot be measured with it',
              },
              { label: 'Added', value: formatExactMoment(dataset.createdAt) },
              { label: 'Preprocessing', value: preprocessingText(dataset.preprocessing), wide: true },
              ...(dataset.source ? [{ label: 'Imported from', value: plainText(dataset.source, 1000), wide: true }] : []),
            ]}
          />
        </Section>
        <Section title="Arrays" flush>
          <table className={tableClasses.table}>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Type</th>
                <th scope="col">Shape</th>
              </tr>
            </thead>
            <tbody>
              {report.arrays.map((array) => (
                <tr key={array.name}>
                  <td className="es-mono es-wrap">{plainText(array.name, 120)}</td>
                  <td>{plainText(array.type, 40)}</td>
                  <td className="es-num">{formatShape(array.shape)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
        {classes.length > 0 ? (
          <Section title="Class balance" aside={`${formatCount(classes.length)} classes`}>
            <ShareBars bars={classes} limit={100} />
          </Section>
        ) : null}
      </div>
      {removing ? (
        <ConfirmDialog
          title="Remove this dataset?"
          confirmLabel="Remove"
          destructive
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await call('datasets.remove', { id: dataset.id })
            navigate('/datasets')
          }}
        >
          <strong>{plainText(dataset.name, 120)}</strong> is deleted from the workspace. The files it was imported from are not touched.
          Removal is refused while results refer to it.
        </ConfirmDialog>
      ) : null}
    </div>
  )
}
