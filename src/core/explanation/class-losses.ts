import { holmAdjusted } from '../statistics/holm.ts'
import { exactMcNemar } from '../statistics/mcnemar.ts'
import type { ComparedAnswers } from './accuracy-context.ts'

/** What became of one class; the contract describes the same. */
export interface ClassLoss {
  readonly class: number
  /** Samples of the class. */
  readonly support: number
  readonly baselineRecall: number
  readonly buildRecall: number
  /** Exact McNemar test on the samples of the class, corrected by Holm's method for all classes in the list. */
  readonly pValue: number
}

/**
 * Classes on whose samples the two models were not right alike, largest loss first. Classes without such samples can never show a
 * difference and do not count in the correction (Tarone 1990).
 */
export function classLosses({ labels, baseline, build }: Pick<ComparedAnswers, 'labels' | 'baseline' | 'build'>): ClassLoss[] {
  const counts = new Map<number, { support: number; both: number; onlyBaseline: number; onlyBuild: number }>()
  for (const [index, label] of labels.entries()) {
    const entry = counts.get(label) ?? { support: 0, both: 0, onlyBaseline: 0, onlyBuild: 0 }
    counts.set(label, entry)
    entry.support++
    const [before, after] = [baseline[index] === label, build[index] === label]
    if (before && after) entry.both++
    else if (before) entry.onlyBaseline++
    else if (after) entry.onlyBuild++
  }
  const changed = [...counts].filter(([, { onlyBaseline, onlyBuild }]) => onlyBaseline + onlyBuild > 0)
  const adjusted = holmAdjusted(changed.map(([, { onlyBaseline, onlyBuild }]) => exactMcNemar(onlyBaseline, onlyBuild)))
  return changed
    .map(([label, { support, both, onlyBaseline, onlyBuild }], index) => ({
      class: label,
      support,
      baselineRecall: (both + onlyBaseline) / support,
      buildRecall: (both + onlyBuild) / support,
      pValue: adjusted[index]!,
    }))
    .sort((a, b) => a.buildRecall - a.baselineRecall - (b.buildRecall - b.baselineRecall) || a.class - b.class)
}
