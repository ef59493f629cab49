import type { ReportEntry } from '../../../contract/report.ts'
import { formatCounted } from '../../format/numbers.ts'

/** What a report holds: `1 comparison, 3 benchmarks, 2 analyses`. */
export function contentsText({ comparisons, benchmarks, evaluations, analyses, matrices, validations }: ReportEntry): string {
  const parts = [
    ...(comparisons > 0 ? [formatCounted(comparisons, 'comparison')] : []),
    ...(benchmarks > 0 ? [formatCounted(benchmarks, 'benchmark')] : []),
    ...(evaluations > 0 ? [formatCounted(evaluations, 'evaluation')] : []),
    ...(analyses > 0 ? [analyses === 1 ? '1 analysis' : `${analyses} analyses`] : []),
    ...(matrices > 0 ? [matrices === 1 ? '1 matrix' : `${matrices} matrices`] : []),
    ...(validations > 0 ? [formatCounted(validations, 'validation')] : []),
  ]
  return parts.length > 0 ? parts.join(', ') : 'nothing measured'
}
