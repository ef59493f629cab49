import { wilsonInterval } from '../../statistics/proportion.ts'
import type { AccuracyContext, AccuracyFinding } from '../accuracy-context.ts'

/** With fewer samples every interval reaches down to chance. */
const FEWEST_SAMPLES = 30

/**
 * Both models answer no better than somebody who always names the most frequent class: neither quantization nor pruning did that. Most
 * likely the samples do not reach the models as they were trained on.
 */
export function bothAtChance({ answers }: AccuracyContext): AccuracyFinding[] {
  if (!answers || answers.labels.length < FEWEST_SAMPLES) return []
  const { labels, baseline, build, classes } = answers
  const chance = Math.max(1 / classes, mostFrequent(labels) / labels.length)
  const atChance = (predictions: Int32Array) => wilsonInterval(right(labels, predictions), labels.length)[0] <= chance
  if (!atChance(baseline) || !atChance(build)) return []
  const percent = (count: number) => `${((100 * count) / labels.length).toFixed(1)} %`
  return [
    {
      rule: 'both-at-chance',
      message: `Both models answer no better than chance (${percent(right(labels, baseline))} and ${percent(right(labels, build))} right, always naming the most frequent class gives ${percent(mostFrequent(labels))}). The samples probably do not reach them as they were trained on: check scale, mean and std, colour order, layout, and the order of the classes.`,
      layers: [],
      classes: [],
    },
  ]
}

function right(labels: Int32Array, predictions: Int32Array): number {
  return labels.reduce((count, label, index) => count + (predictions[index] === label ? 1 : 0), 0)
}

function mostFrequent(labels: Int32Array): number {
  const counts = new Map<number, number>()
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1)
  return Math.max(...counts.values())
}
