import type { MixedPrecision } from '../../contract/recipe.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import type { Calibrator } from '../../core/quantization/calibration/calibration-statistics.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { searchMixedPrecision } from '../../core/quantization/mixed-precision.ts'
import type { StaticQuantization } from '../../core/quantization/static-quantization.ts'
import { shownDecibels, type UnitSensitivity, unitSensitivities } from '../../core/quantization/unit-sensitivity.ts'
import type { AccuracyBudget, StepContext } from './step-context.ts'
import { unitGains } from './unit-gains.ts'

/** How ranges and biases are chosen. */
export interface QuantizationWay {
  readonly calibrator: Calibrator
  readonly biasCorrection: boolean
}

/** What the search starts from. */
export interface SearchStart extends QuantizationWay {
  readonly quantization: StaticQuantization
  /** Nodes that stay in float whatever the accuracy. */
  readonly leave: ReadonlyMap<string, string>
  /** Samples to rank units on. */
  readonly samples: CalibrationSamples
}

/** The nodes to leave in float, and what to report of the search. */
export interface SearchOutcome {
  /** With the reason of each. */
  readonly leave: ReadonlyMap<string, string>
  readonly facts: MixedPrecision
  readonly warnings: readonly string[]
}

/** Each trial makes a build and evaluates it on the whole dataset. */
const MAX_TRIALS = 40

/**
 * Searches the fastest int8 build within the accuracy budget of the step. Nothing is done without a budget.
 * @throws EdgesmithError `MODEL_NOT_CLASSIFIER`, `DATASET_…`, the runtime's errors
 */
export async function withinBudget(start: SearchStart, context: StepContext): Promise<SearchOutcome | undefined> {
  const { budget } = context
  if (!budget) return undefined
  const { quantization, calibrator, biasCorrection, leave } = start
  context.progress('searching', 0, null, 'builds')
  const float = encodeModel(quantization.prepared)
  const baseline = accuracyOf(await budget.correct(float))
  const required = baseline - budget.maxDrop
  const built = (left: ReadonlyMap<string, string>): Uint8Array =>
    encodeModel(quantization.quantize({ leave: new Map([...leave, ...left]), calibrator, biasCorrection }).model)
  const everything = built(new Map())
  const whole = accuracyOf(await budget.correct(everything))
  if (whole >= required) {
    return { leave: new Map(), facts: factsOf(budget, { baseline, reached: whole, met: true, trials: 1, left: [] }), warnings: [] }
  }
  const ranked = await ranking(start, context)
  const gains = await unitGains(float, everything, start.samples, context)
  let trial = 1
  const found = await searchMixedPrecision({
    units: ranked.map(({ node, weighted, sqnrDb }) => ({ node, weighted, noise: 10 ** (-sqnrDb / 10), gainMs: gains.get(node) ?? null })),
    required,
    maxTrials: MAX_TRIALS,
    accuracyWith: async (left) => {
      context.progress('searching', trial++, MAX_TRIALS, 'builds')
      return accuracyOf(await budget.correct(built(reasonsFor([...left], ranked))))
    },
  })
  const reasons = reasonsFor(found.left, ranked)
  const left = found.left.map((node) => {
    const { op, sqnrDb } = ranked.find((unit) => unit.node === node)!
    return { node, op, reason: reasons.get(node)!, sqnrDb: shownDecibels(sqnrDb), gainMs: gains.get(node) ?? null }
  })
  const facts = factsOf(budget, { baseline, reached: found.accuracy, met: found.met, trials: found.trials + 1, left })
  return { leave: reasons, facts, warnings: found.met ? [] : [notMet(facts)] }
}

function ranking({ quantization, calibrator, leave, samples }: SearchStart, context: StepContext): Promise<UnitSensitivity[]> {
  const { runtime, target } = context
  return unitSensitivities(quantization, samples, runtime, { target, calibrator, leave }, (done, total) =>
    context.progress('ranking units', done, total, 'units'),
  )
}

function reasonsFor(nodes: readonly string[], ranked: readonly UnitSensitivity[]): Map<string, string> {
  const noise = new Map(ranked.map(({ node, sqnrDb }) => [node, sqnrDb]))
  return new Map(
    nodes.map((node) => [
      node,
      `left in float32 for the accuracy budget: quantized alone, it leaves the outputs at ${noise.get(node)!.toFixed(1)} dB signal to noise`,
    ]),
  )
}

function factsOf(budget: AccuracyBudget, found: Omit<MixedPrecision, 'metric' | 'maxDrop' | 'samples'>): MixedPrecision {
  return { metric: 'accuracy', maxDrop: budget.maxDrop, samples: budget.samples, ...found }
}

function notMet({ reached, baseline, maxDrop, left }: MixedPrecision): string {
  const points = (value: number): string => (value * 100).toFixed(2)
  return `No int8 build within ${points(maxDrop)} points of the source's accuracy was found: ${points(baseline)} % for the source, ${points(reached)} % with ${left.length} nodes left in float32.`
}

function accuracyOf(correct: Uint8Array): number {
  return correct.reduce((sum, answer) => sum + answer, 0) / Math.max(1, correct.length)
}
