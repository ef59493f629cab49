import type { RegressionDetail } from '../../../contract/evaluation.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { metricValue } from '../../text/metric-text.ts'

const columns: readonly CutColumn<RegressionDetail['perOutput'][number]>[] = [
  { header: 'Value', cell: ({ output }) => output },
  { header: 'R²', cell: ({ r2 }) => metricValue('r2', r2), align: 'right' },
  { header: 'MAE', cell: ({ mae }) => metricValue('mae', mae), align: 'right' },
  { header: 'RMSE', cell: ({ rmse }) => metricValue('rmse', rmse), align: 'right' },
  { header: 'Largest error', cell: ({ maxError }) => metricValue('maxError', maxError), align: 'right' },
]

/** Errors of each value, where a sample has several. */
export function OutputErrors({ regression }: { regression: RegressionDetail }) {
  return (
    <Section title="By value" flush>
      <CutTable columns={columns} rows={regression.perOutput} />
    </Section>
  )
}
