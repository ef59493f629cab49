import type { DuplicatesReport } from '../../../contract/dataset.ts'
import { formatCount } from '../../format/numbers.ts'

/** What a pair of datasets shares, in a sentence. */
export function duplicatesText(pair: DuplicatesReport['pairs'][number], names: { readonly a: string; readonly b: string }): string {
  const { a, b, count, similar } = pair
  const alike = similar > 0 ? ` ${formatCount(similar)} look${similar === 1 ? 's' : ''} alike without being equal.` : ''
  if (count === 0) return `No sample is equal.${alike}`
  const samples = count === 1 ? '1 sample' : `${formatCount(count)} samples`
  return a === b
    ? `${samples} equal${count === 1 ? 's' : ''} an earlier one of ${names.a}.${alike}`
    : `${samples} of ${names.b} also occur${count === 1 ? 's' : ''} in ${names.a}.${alike}`
}
