import type { Comparison } from '../../../contract/measurement.ts'
import { Section } from '../../components/section.tsx'
import type { AnalysedRow } from './analysed-row.ts'
import { baselineRowOf } from './comparison-outcome.ts'
import classes from './comparison-table.module.css'
import { ComparisonTableRow } from './comparison-table-row.tsx'
import { sharedMetric } from './trade-off.ts'
import { measureLabel } from './trade-off-text.ts'

export interface PointedProps {
  readonly comparison: Comparison
  /** Model that is pointed at anywhere in the comparison. */
  readonly pointed: string | null
  readonly onPoint: (modelId: string | null) => void
}

interface ComparisonTableProps extends PointedProps {
  readonly onAnalyse: (analysed: AnalysedRow) => void
}

/** All numbers, with differences to the pinned baseline. */
export function ComparisonTable({ comparison, pointed, onPoint, onAnalyse }: ComparisonTableProps) {
  const shared = sharedMetric(comparison)
  const baseline = baselineRowOf(comparison)
  const withAccuracy = comparison.rows.some(({ metrics }) => metrics !== null)
  return (
    <Section
      title="Results"
      aside={
        withAccuracy ? 'Second lines: 95 % intervals and differences to the baseline' : 'No dataset was chosen, so there is no accuracy'
      }
      flush
    >
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col" className={classes.sticky}>
              Model
            </th>
            <th scope="col">Speed</th>
            {withAccuracy ? <th scope="col">{measureLabel('metric', shared)}</th> : null}
            <th scope="col">Size</th>
            <th scope="col">Median (p50)</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
            <th scope="col">Throughput</th>
            <th scope="col">Peak memory</th>
            <th scope="col">CPU time</th>
            <th scope="col">Load</th>
          </tr>
        </thead>
        <tbody>
          {comparison.rows.map((row, index) => (
            <ComparisonTableRow
              key={row.modelId}
              row={row}
              index={index}
              baseline={baseline}
              withAccuracy={withAccuracy}
              pointed={row.modelId === pointed}
              onPoint={onPoint}
              onAnalyse={onAnalyse}
            />
          ))}
        </tbody>
      </table>
    </Section>
  )
}
