import type { NamedTensors, RuntimeTensor } from '../../src/core/inference-runtime.ts'
import type { CalibrationFeeds } from '../../src/engine/optimize/calibration-feeds.ts'
import { photoLike, plausibleFeeds, speechLike, textLike } from './plausible-inputs.ts'

/** A real model with inputs to calibrate and verify on. Few and small ones: these tests ask for valid builds, not for good ranges. */
export interface RealModelCase {
  readonly file: string
  readonly feeds: CalibrationFeeds
}

const SAMPLES = 2

function pictures(file: string, make: (random: Parameters<typeof photoLike>[0]) => NamedTensors): RealModelCase {
  return { file, feeds: plausibleFeeds(SAMPLES, make) }
}

/** Silero's rate of 16,000 samples a second. */
const rate: RuntimeTensor = { type: 'int64', dims: [], values: BigInt64Array.of(16_000n) }
const state = (...dims: number[]): RuntimeTensor => ({
  type: 'float32',
  dims,
  values: new Float32Array(dims.reduce((product, dim) => product * dim, 1)),
})

export const blazefaceBack = pictures('blazeface-back.onnx', (random) => ({
  'input:0': photoLike(random, { layout: 'nhwc', height: 256, width: 256 }),
}))
export const blazefaceFront = pictures('blazeface-front.onnx', (random) => ({
  'input:0': photoLike(random, { layout: 'nhwc', height: 128, width: 128 }),
}))
export const ocrDetector = pictures('ocr-det.onnx', (random) => ({ x: textLike(random, { layout: 'nchw', height: 96, width: 96 }) }))
export const ocrRecognizer = pictures('ocr-rec.onnx', (random) => ({ x: textLike(random, { layout: 'nchw', height: 48, width: 64 }) }))
export const ocrClassifier = pictures('ocr-cls.onnx', (random) => ({ x: textLike(random, { layout: 'nchw', height: 48, width: 192 }) }))
export const sileroVad = pictures('silero-vad.onnx', (random) => ({ input: speechLike(random, 576), state: state(2, 1, 128), sr: rate }))
export const sileroVadLegacy = pictures('silero-vad-legacy.onnx', (random) => ({
  input: speechLike(random, 1536),
  sr: rate,
  h: state(2, 1, 64),
  c: state(2, 1, 64),
}))
