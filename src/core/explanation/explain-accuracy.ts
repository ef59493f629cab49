import { accuracyDifference } from '../statistics/mcnemar.ts'
import { pairedDifferenceInterval } from '../statistics/paired-proportions.ts'
import { accuracyAdvice } from './accuracy-advice.ts'
import type { AccuracyContext, AccuracyFinding, AccuracyRule, ComparedAnswers } from './accuracy-context.ts'
import { bothAtChance } from './accuracy-rules/at-chance.ts'
import { classesLost, nearTies } from './accuracy-rules/changed-answers.ts'
import { clippedActivations } from './accuracy-rules/clipped-activations.ts'
import { coarseWeights } from './accuracy-rules/coarse-weights.ts'
import { halfOverflow } from './accuracy-rules/half-overflow.ts'
import { productsSaturate } from './accuracy-rules/products-saturate.ts'
import { sharpDrop } from './accuracy-rules/sharp-drop.ts'
import { noSingleLayer, residualAccumulation } from './accuracy-rules/spread-losses.ts'
import { type ClassLoss, classLosses } from './class-losses.ts'

/** Those that know a cause come before those that only see the effect. */
const RULES: readonly AccuracyRule[] = [
  halfOverflow,
  clippedActivations,
  coarseWeights,
  productsSaturate,
  sharpDrop,
  residualAccumulation,
  noSingleLayer,
  classesLost,
  nearTies,
]

/** A p-value from here on shows no difference. */
const LEVEL = 0.05

/** How right two models are on the same samples. */
export interface AnswersSummary {
  readonly samples: number
  readonly baselineAccuracy: number
  readonly buildAccuracy: number
  /** Samples with another answer. */
  readonly changed: number
  /** Exact McNemar test. */
  readonly pValue: number
  /** Build minus baseline, with Newcombe's interval for paired shares. */
  readonly difference: number
  readonly differenceCi95: [number, number]
}

/** Why a build answers worse; the contract's `accuracyExplanationSchema` describes the same. */
export interface AccuracyReasons {
  readonly findings: AccuracyFinding[]
  readonly layers: {
    readonly layer: string
    readonly op: string
    readonly precision: string
    readonly sqnrDb: number | null
    readonly lostDb: number | null
  }[]
  readonly classes: ClassLoss[]
  readonly answers: AnswersSummary | null
  readonly advice: string | null
}

/** Looks for the places where a build goes wrong, and for the pattern in its changed answers. */
export function explainAccuracy(context: AccuracyContext): AccuracyReasons {
  const answers = context.answers && summarized(context.answers)
  // Samples that mean nothing to the baseline make everything below meaningless too.
  const atChance = bothAtChance(context)
  const findings = atChance.length > 0 ? atChance : [...(answers ? noLossShown(answers) : []), ...applied(context)]
  return {
    findings,
    layers: context.layers.map(({ layer, op, precision, distance: { sqnrDb }, lostDb }) => ({ layer, op, precision, sqnrDb, lostDb })),
    classes: context.answers ? classLosses(context.answers) : [],
    answers,
    advice: accuracyAdvice(context, findings),
  }
}

function applied(context: AccuracyContext): AccuracyFinding[] {
  const explained = new Set<string>()
  return RULES.flatMap((rule) => {
    const found = rule(context, explained)
    for (const { layers } of found) for (const layer of layers) explained.add(layer)
    return found
  })
}

function summarized({ labels, baseline, build }: ComparedAnswers): AnswersSummary {
  const samples = labels.length
  const { difference, onlyBaseline, onlyBuild, pValue, agreement } = accuracyDifference(labels, baseline, build)
  const both = labels.reduce((count, label, index) => count + (baseline[index] === label && build[index] === label ? 1 : 0), 0)
  return {
    samples,
    baselineAccuracy: (both + onlyBaseline) / samples,
    buildAccuracy: (both + onlyBuild) / samples,
    changed: Math.round((1 - agreement) * samples),
    pValue,
    difference,
    differenceCi95: pairedDifferenceInterval({
      both,
      onlyFirst: onlyBaseline,
      onlySecond: onlyBuild,
      neither: samples - both - onlyBaseline - onlyBuild,
    }),
  }
}

function noLossShown({ samples, difference, differenceCi95: [low, high], pValue }: AnswersSummary): AccuracyFinding[] {
  if (pValue < LEVEL && difference < 0) return []
  const points = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(2)}`
  const what = pValue < LEVEL ? 'The build answers better than the baseline' : 'No loss of accuracy is shown'
  return [
    {
      rule: 'no-loss-shown',
      message: `${what}: ${points(difference)} points on ${samples} samples (95 % interval ${points(low)} to ${points(high)}, McNemar p = ${Number(pValue.toPrecision(2))}).`,
      layers: [],
      classes: [],
    },
  ]
}
