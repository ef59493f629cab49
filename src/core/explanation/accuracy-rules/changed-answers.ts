import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'
import { classLosses } from '../class-losses.ts'

/** A chance of one in twenty that any class is named without reason (Holm). */
const LEVEL = 0.05
/** Classes in a sentence. */
const NAMED = 5
/** Fewer changed answers show no pattern. */
const FEWEST_CHANGES = 5
/** The baseline's closest tenth of all answers; where more changed, as many as those, but no longer "close" beyond three tenths. */
const CLOSE_SHARE = 0.1
const LARGEST_CLOSE_SHARE = 0.3
/** Share of the changed answers that must be among them. */
const MOST = 0.7

/** Classes that lost more right answers than chance explains. */
export function classesLost({ answers }: AccuracyContext): AccuracyFinding[] {
  if (!answers) return []
  const lost = classLosses(answers).filter(({ pValue, baselineRecall, buildRecall }) => pValue < LEVEL && buildRecall < baselineRecall)
  if (lost.length === 0) return []
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  const named = lost
    .slice(0, NAMED)
    .map((entry) => `${entry.class} (${percent(entry.baselineRecall)} to ${percent(entry.buildRecall)} of ${entry.support})`)
    .join(', ')
  return [
    {
      rule: 'classes-lost',
      message: `${lost.length === 1 ? 'One class loses' : `${lost.length} classes lose`} more right answers than chance explains (McNemar, corrected for the number of classes): ${named}${lost.length > NAMED ? ` and ${lost.length - NAMED} more` : ''}.`,
      layers: [],
      classes: lost.map((entry) => entry.class),
    },
  ]
}

/** Changed answers that were close calls of the baseline already. */
export function nearTies({ answers }: AccuracyContext): AccuracyFinding[] {
  if (!answers) return []
  const { labels, baseline, build, margins } = answers
  const changed = [...baseline.keys()].filter((index) => baseline[index] !== build[index] && !Number.isNaN(margins[index]))
  if (changed.length < FEWEST_CHANGES) return []
  const sorted = margins.filter((margin) => !Number.isNaN(margin)).sort()
  const closest = Math.max(CLOSE_SHARE, changed.length / sorted.length)
  if (closest > LARGEST_CLOSE_SHARE) return []
  const limit = sorted[Math.min(sorted.length - 1, Math.ceil(closest * sorted.length) - 1)]!
  const close = changed.filter((index) => margins[index]! <= limit)
  if (close.length < MOST * changed.length) return []
  const better = changed.filter((index) => build[index] === labels[index]).length
  const worse = changed.filter((index) => baseline[index] === labels[index]).length
  return [
    {
      rule: 'near-ties',
      message: `${close.length} of ${changed.length} changed answers were close calls: the baseline's lead over its second choice was among the smallest ${Math.round(100 * closest)} % there. ${worse} became wrong, ${better} became right. Small errors turn such answers either way.`,
      layers: [],
      classes: [],
    },
  ]
}
