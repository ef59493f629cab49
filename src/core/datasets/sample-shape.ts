import { CoreError } from '../core-error.ts'
import type { Port } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { countOf } from './numeric-array.ts'
import type { ImageLayout } from './preprocess.ts'

/** Dimensions that a model gives: a symbolic one is its name or `undefined`. */
export type WantedDims = Port['shape']

/** How messages call what is fitted. */
export interface ShapeNames {
  /** The array: `Array "x" of data.npz`. */
  readonly where: string
  /** The model input. */
  readonly input: string
}

/**
 * Dimensions of one sample in the form that is wanted. Symbolic dimensions accept anything; dimensions of 1 may be added or removed
 * (28×28 samples for a 1×28×28 input). The order of the values stays.
 *
 * @param sample dimensions of one sample as it is stored
 * @param wanted of one sample
 * @param model what the model takes, where `wanted` is that in another layout
 * @throws CoreError `DATASET_SHAPE` with expected and found
 */
export function fitSampleShape(
  sample: readonly number[],
  wanted: WantedDims,
  { where, input }: ShapeNames,
  model: WantedDims = wanted,
): readonly number[] {
  if (fits(sample, wanted)) return sample
  const bareSample = sample.filter((dim) => dim !== 1)
  const bareWanted = wanted.filter((dim) => dim !== 1)
  if (fits(bareSample, bareWanted)) {
    const rest = [...bareSample]
    return wanted.map((dim) => (dim === 1 ? 1 : (rest.shift() as number)))
  }
  const isTurned = dimsText(model) !== dimsText(wanted)
  const turned = isTurned ? `, that is ${dimsText(wanted)} before its layout is changed` : ''
  throw new CoreError(
    'DATASET_SHAPE',
    `Samples of ${where.replace(/^Array /, 'array ')} have shape ${dimsText(sample)}, but model input ${quoteName(input)} needs ${dimsText(model)}${turned}.`,
    { hint: shapeHint(sample, wanted, isTurned), details: { expected: wanted.map((dim) => dim ?? null), found: sample } },
  )
}

/** `[3,H,?]` */
export function dimsText(dims: WantedDims): string {
  return `[${dims.map((dim) => dim ?? '?').join(',')}]`
}

/** An image's dimensions in the other layout. */
export function turnedDims<D>(dims: readonly D[], to: ImageLayout): readonly D[] {
  const [a, b, c] = dims as readonly [D, D, D]
  return to === 'channels-first' ? [c, a, b] : [b, c, a]
}

function fits(dims: readonly number[], wanted: WantedDims): boolean {
  return dims.length === wanted.length && dims.every((dim, axis) => typeof wanted[axis] !== 'number' || wanted[axis] === dim)
}

function shapeHint(sample: readonly number[], wanted: WantedDims, turned: boolean): string {
  const images = sample.length === 3 && wanted.length === 3
  const otherWay = fits(turnedDims(sample, 'channels-first'), wanted) || fits(turnedDims(sample, 'channels-last'), wanted)
  if (images && turned && otherWay)
    return 'They are in the model’s layout already: correct "stored", or leave "layout" out of the preprocessing.'
  if (images && fits(turnedDims(sample, 'channels-first'), wanted))
    return 'The samples have their channels last: give the preprocessing {"stored": "channels-last", "layout": "channels-first"}, or turn them with numpy.transpose(x, (0, 3, 1, 2)).'
  if (images && fits(turnedDims(sample, 'channels-last'), wanted))
    return 'The samples have their channels first: give the preprocessing {"stored": "channels-first", "layout": "channels-last"}, or turn them with numpy.transpose(x, (0, 2, 3, 1)).'
  const [height, width, channels] = wanted
  if (images && typeof height === 'number' && typeof width === 'number' && channels === sample[2]) {
    return `Image files get that size with the preprocessing {"image": {"width": ${width}, "height": ${height}}}; arrays are resized before they are saved.`
  }
  if (wanted.every((dim) => typeof dim === 'number') && countOf(sample) === countOf(wanted as number[])) {
    return `They have as many values: reshape them with x.reshape(-1, ${wanted.join(', ')}) if the order is right.`
  }
  return 'Give samples of the shape the model was made for, the samples along the first axis.'
}
