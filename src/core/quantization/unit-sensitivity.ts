import type { InferenceRuntime } from '../inference-runtime.ts'
import { encodeModel } from '../onnx/model-file.ts'
import type { Calibrator } from './calibration/calibration-statistics.ts'
import type { CalibrationSamples } from './calibration-samples.ts'
import { referenceOutputs, signalToNoise } from './calibrator-choice.ts'
import type { PlannedUnit } from './quantization-plan.ts'
import type { StaticQuantization } from './static-quantization.ts'
import type { QuantizationTarget } from './target-rules.ts'

/** What quantizing one unit does to the outputs of the whole model. */
export interface UnitSensitivity {
  readonly node: string
  readonly op: string
  readonly weighted: boolean
  /**
   * Mean signal to noise of the outputs in dB. Units with weights: with this unit alone quantized. Others, which are only
   * ever quantized beside such units: of the noise that goes away when this one is left in float and all the rest is not.
   */
  readonly sqnrDb: number
}

/** How {@link unitSensitivities} quantizes. */
export interface SensitivityOptions {
  readonly target: QuantizationTarget
  readonly calibrator: Calibrator
  /** Nodes that stay in float in any case, with the reason. */
  readonly leave: ReadonlyMap<string, string>
}

/** The least noise that is told apart from none. */
const NO_NOISE_DB = 300

/**
 * Quantizes one unit at a time and compares the outputs with the float model's.
 *
 * @param samples what the outputs are compared on
 * @param progress called after each unit
 * @returns in graph order
 */
export async function unitSensitivities(
  quantization: StaticQuantization,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
  { target, calibrator, leave }: SensitivityOptions,
  progress: (done: number, total: number) => void = () => {},
): Promise<UnitSensitivity[]> {
  const units = quantization.units.filter(({ node, kind }) => kind !== 'moving' && !leave.has(node.name))
  const reference = await referenceOutputs(encodeModel(quantization.prepared), samples, runtime)
  const measure = async (left: ReadonlyMap<string, string>): Promise<number> => {
    const build = encodeModel(quantization.quantize({ leave: left, calibrator }).model)
    return noisePower(await signalToNoise(build, reference, samples, { target, runtime }))
  }
  try {
    const all = await measure(leave)
    const found: UnitSensitivity[] = []
    for (const unit of units) {
      const weighted = unit.kind === 'weighted'
      const noise = weighted ? await measure(allBut(unit, quantization, leave)) : all - (await measure(leaving(leave, unit)))
      found.push({ node: unit.node.name, op: unit.node.opType, weighted, sqnrDb: decibels(noise) })
      progress(found.length, units.length)
    }
    return found
  } finally {
    await reference.close()
  }
}

function allBut(unit: PlannedUnit, quantization: StaticQuantization, leave: ReadonlyMap<string, string>): Map<string, string> {
  const others = quantization.units.filter((other) => other !== unit)
  return new Map([...leave, ...others.map(({ node }) => [node.name, ''] as const)])
}

function leaving(leave: ReadonlyMap<string, string>, { node }: PlannedUnit): Map<string, string> {
  return new Map([...leave, [node.name, '']])
}

/** As a report says it: `null` where no noise can be seen. */
export function shownDecibels(sqnrDb: number): number | null {
  return sqnrDb >= NO_NOISE_DB ? null : sqnrDb
}

/** Noise relative to the signal: 20 dB are 0.01. */
function noisePower(sqnrDb: number): number {
  return 10 ** (-sqnrDb / 10)
}

function decibels(noise: number): number {
  return noise <= 10 ** (-NO_NOISE_DB / 10) ? NO_NOISE_DB : -10 * Math.log10(noise)
}
