import type { InferenceRuntime, NamedTensors, Port } from '../inference-runtime.ts'
import { OutputFidelity } from '../metrics/output-fidelity.ts'
import { encodeModel } from '../onnx/model-file.ts'
import type { Calibrator } from './calibration/calibration-statistics.ts'
import type { CalibrationSamples } from './calibration-samples.ts'
import { loadAsTarget } from './load-as-target.ts'
import type { StaticQuantization } from './static-quantization.ts'
import type { QuantizationTarget } from './target-rules.ts'

/** A way to quantize that was tried. */
export interface CalibratorTrial {
  readonly calibrator: Calibrator
  readonly biasCorrection: boolean
  /** Mean signal to noise of the outputs against the float model, on samples that no range was measured on. */
  readonly sqnrDb: number
}

/** Reference outputs are kept between trials up to so many bytes; beyond, the float model runs again for each trial. */
const KEPT_BYTES = 32 * 1024 * 1024
/** Calibrators that are also tried without bias correction: it helps most networks, and now and then it does not. */
const TRIED_WITHOUT_CORRECTION = 2

/**
 * Tries every calibrator of a quantization on samples held back from calibration, and the best ones without bias correction.
 *
 * @param heldBack feeds that no range was measured on
 * @param leave nodes to leave in float
 * @returns trials, best first; of equals the one tried first
 */
export async function tryCalibrators(
  quantization: StaticQuantization,
  heldBack: CalibrationSamples,
  runtime: InferenceRuntime,
  { target, leave }: { readonly target: QuantizationTarget; readonly leave: ReadonlyMap<string, string> },
  progress: (done: number, total: number) => void = () => {},
): Promise<CalibratorTrial[]> {
  const reference = await referenceOutputs(encodeModel(quantization.prepared), heldBack, runtime)
  const { calibrators, correctsBiases } = quantization
  const total = calibrators.length + (correctsBiases ? TRIED_WITHOUT_CORRECTION : 0)
  const trials: CalibratorTrial[] = []
  const attempt = async (calibrator: Calibrator, biasCorrection: boolean): Promise<void> => {
    const build = encodeModel(quantization.quantize({ leave, calibrator, biasCorrection }).model)
    trials.push({ calibrator, biasCorrection, sqnrDb: await signalToNoise(build, reference, heldBack, { target, runtime }) })
    progress(trials.length, total)
  }
  const bestFirst = (): CalibratorTrial[] => [...trials].sort((a, b) => b.sqnrDb - a.sqnrDb)
  try {
    for (const calibrator of calibrators) await attempt(calibrator, correctsBiases)
    if (correctsBiases) for (const { calibrator } of bestFirst().slice(0, TRIED_WITHOUT_CORRECTION)) await attempt(calibrator, false)
    return bestFirst()
  } finally {
    await reference.close()
  }
}

/** What the float model answers to each feed. */
export interface ReferenceOutputs {
  readonly ports: readonly Port[]
  read(feed: NamedTensors, index: number): Promise<NamedTensors>
  close(): Promise<void>
}

/**
 * The answers of a float model to some feeds: computed at once and kept where they are small, so that the model need not be
 * in memory beside its builds; computed anew each time otherwise.
 */
export async function referenceOutputs(
  model: Uint8Array,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<ReferenceOutputs> {
  const loaded = await runtime.load(model)
  const kept: NamedTensors[] = []
  for (let index = 0; index < samples.feeds; index++) {
    kept.push(await loaded.run(await samples.read(index)))
    if (byteSize(kept[0]!) * samples.feeds > KEPT_BYTES)
      return { ports: loaded.outputs, read: (feed) => loaded.run(feed), close: () => loaded.close() }
  }
  await loaded.close()
  return { ports: loaded.outputs, read: async (_, index) => kept[index]!, close: async () => {} }
}

/** Mean signal to noise of a build's outputs in dB. */
export async function signalToNoise(
  build: Uint8Array,
  reference: ReferenceOutputs,
  samples: CalibrationSamples,
  { target, runtime }: { readonly target: QuantizationTarget; readonly runtime: InferenceRuntime },
): Promise<number> {
  const loaded = await loadAsTarget(build, target, runtime)
  try {
    const fidelity = new OutputFidelity(reference.ports)
    for (let index = 0; index < samples.feeds; index++) {
      const feed = await samples.read(index)
      fidelity.add(await reference.read(feed, index), await loaded.run(feed))
    }
    return fidelity.meanDb()
  } finally {
    await loaded.close()
  }
}

function byteSize(tensors: NamedTensors): number {
  return Object.values(tensors).reduce((sum, { values }) => sum + values.length * 8, 0)
}
