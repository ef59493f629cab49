import type { DatasetReport } from '../../../contract/dataset.ts'
import { formatCount, formatCounted, NOTHING } from '../../format/numbers.ts'

/** What the samples are labelled with: `10 classes`, `1 target`; null for nothing. */
export function labelsText({ classCounts, targets }: DatasetReport): string | null {
  if (classCounts) {
    const count = Object.keys(classCounts).length
    return count === 1 ? '1 class' : `${formatCount(count)} classes`
  }
  return targets ? formatCounted(targets.width, 'target') : null
}

/** The same for a narrow column: the number of classes, `values`, or a dash. */
export function labelsShort({ classCounts, targets }: DatasetReport): string {
  if (classCounts) return formatCount(Object.keys(classCounts).length)
  return targets ? 'values' : NOTHING
}
