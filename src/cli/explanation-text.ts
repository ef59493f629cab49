import { formatMs } from '../backend/report/quantities.ts'
import type { Explanation } from '../contract/analysis.ts'

/** Findings and advice, a line each; the first findings are the most important. */
export function explanationLines({ findings, advice }: Pick<Explanation, 'findings' | 'advice'>): string[] {
  return [
    ...findings.map(({ message, lostMs }) => `because: ${message}${lostMs === null ? '' : ` (+${formatMs(lostMs)})`}`),
    ...(advice === null ? [] : [`advice: ${advice}`]),
  ]
}
