import { CoreError } from '../core-error.ts'
import type { ElementType } from '../onnx/data-types.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { countOf } from './numeric-array.ts'
import { hasArithmetic, type ImageLayout, type PreprocessingSteps, storedLayout } from './preprocess.ts'
import { dimsText, fitSampleShape, turnedDims, type WantedDims } from './sample-shape.ts'

/** A model input as samples meet it. */
export interface PlannedInput {
  readonly name: string
  readonly type: ElementType
  /** Dimensions of one sample, without the batch; `undefined` where the model does not say their number. */
  readonly sample: WantedDims | undefined
}

/** What makes model inputs of stored samples: found once, then the same for every sample. */
export interface SamplePlan {
  readonly input: string
  readonly target: ElementType
  /** Dimensions of one sample in the order its values are stored. */
  readonly stored: readonly number[]
  /** Dimensions of one sample as the model takes it. */
  readonly dims: readonly number[]
  /** Values in one sample. */
  readonly perSample: number
  /** Where channels change their order or place. */
  readonly move: ChannelMove | undefined
  /** Where values are computed with; it comes after the move, which gives the same values as the documented order. */
  readonly arithmetic: Arithmetic | undefined
}

export interface ChannelMove {
  readonly channels: number
  /** Height × width. */
  readonly pixels: number
  readonly from: ImageLayout
  readonly to: ImageLayout
  readonly reversed: boolean
}

/** (value × scale − means[c]) ÷ stds[c], where channel c changes every `inner` values. */
export interface Arithmetic {
  readonly scale: number
  readonly means: readonly number[]
  readonly stds: readonly number[]
  readonly inner: number
}

/**
 * Works out what preprocessing does to samples of a shape for a model input, and checks that it can be done. Evaluation, calibration,
 * preview and the device's server all come here.
 *
 * @param sample dimensions of one sample as it is stored (or sent)
 * @param where how messages call the samples
 * @throws CoreError `DATASET_SHAPE` where shape, image size or number of channels do not fit, `DATASET_TYPE` for another `dtype`
 */
export function planSample(sample: readonly number[], input: PlannedInput, steps: PreprocessingSteps, where: string): SamplePlan {
  if (steps.dtype !== undefined && steps.dtype !== input.type) {
    throw new CoreError(
      'DATASET_TYPE',
      `The preprocessing gives ${steps.dtype}, but model input ${quoteName(input.name)} is ${input.type}.`,
      {
        hint: `Give "dtype": "${input.type}", or leave dtype out: then it is what the model takes.`,
        details: { expected: input.type, found: steps.dtype },
      },
    )
  }
  const wanted = storedShapeFor(input.sample, steps)
  const names = { where, input: input.name }
  const stored = wanted ? fitSampleShape(sample, wanted, names, input.sample ?? wanted) : sample
  if (steps.image) checkImageSize(stored, steps.image, where)
  const target = layoutOf(steps, stored.length)
  const from = stored.length === 3 ? (storedLayout(steps) ?? target) : undefined
  const dims = from && target && from !== target ? turnedDims(stored, target) : stored
  const axis = target === undefined ? undefined : target === 'channels-first' ? 0 : 2
  return {
    input: input.name,
    target: input.type,
    stored,
    dims,
    perSample: countOf(dims),
    move: moveOf(steps, dims, from, target, axis, input.name),
    arithmetic: hasArithmetic(steps) ? arithmeticOf(steps, dims, axis, input.name) : undefined,
  }
}

/** The shape that stored (or sent) samples have for a model that takes `sample`; `undefined` for an unknown number of dimensions. */
export function storedShapeFor(sample: WantedDims | undefined, steps: PreprocessingSteps): WantedDims | undefined {
  if (sample?.length !== 3) return sample
  const from = storedLayout(steps)
  const turned = from !== undefined && steps.layout !== undefined && from !== steps.layout
  const wanted = turned ? turnedDims(sample, from) : sample
  // Sizes that the model leaves open are those of the images, which are stored channels last.
  const pixels = steps.image && imageDims(steps.image)
  return pixels ? wanted.map((dim, axis) => (typeof dim === 'number' ? dim : pixels[axis])) : wanted
}

function imageDims({ width, height, colour }: NonNullable<PreprocessingSteps['image']>): readonly number[] {
  return [height, width, colour === 'grey' ? 1 : 3]
}

/** Layout of the samples when all is done. */
function layoutOf(steps: PreprocessingSteps, rank: number): ImageLayout | undefined {
  return rank === 3 ? (steps.layout ?? storedLayout(steps)) : undefined
}

function checkImageSize(stored: readonly number[], image: NonNullable<PreprocessingSteps['image']>, where: string): void {
  const pixels = imageDims(image)
  const bare = (dims: readonly number[]) => dims.filter((dim) => dim !== 1).join()
  const fits = stored.length === 3 ? stored.join() === pixels.join() : bare(stored) === bare(pixels)
  if (fits) return
  throw new CoreError(
    'DATASET_SHAPE',
    `Samples of ${where} have shape ${dimsText(stored)}, but the preprocessing makes images of ${dimsText(pixels)}.`,
    {
      hint: 'Give images of the size the preprocessing says, or change its width, height and colour.',
      details: { expected: pixels, found: stored },
    },
  )
}

function moveOf(
  { reverseChannels = false }: PreprocessingSteps,
  dims: readonly number[],
  from: ImageLayout | undefined,
  to: ImageLayout | undefined,
  axis: number | undefined,
  input: string,
): ChannelMove | undefined {
  if (reverseChannels && axis === undefined) {
    throw new CoreError(
      'DATASET_SHAPE',
      `The preprocessing reverses the channels, but samples of shape ${dimsText(dims)} for input ${quoteName(input)} have none that are known.`,
      { hint: 'Say where they stand: "stored": "channels-last" or "channels-first".', details: { found: dims } },
    )
  }
  if (from === undefined || to === undefined || axis === undefined) return undefined
  const channels = dims[axis] as number
  const move = { channels, pixels: channels === 0 ? 0 : countOf(dims) / channels, from, to, reversed: reverseChannels }
  // With one channel the values stay where they are.
  return channels > 1 && (from !== to || reverseChannels) ? move : undefined
}

function arithmeticOf(
  { scale = 1, mean = [0], std = [1] }: PreprocessingSteps,
  dims: readonly number[],
  axis: number | undefined,
  input: string,
): Arithmetic {
  const [fewer = 0, channels = 0] = [mean.length, std.length].sort((a, b) => a - b)
  if (channels === 1 && fewer === 1) return { scale, means: mean, stds: std, inner: Math.max(1, countOf(dims)) }
  const along = axis ?? channelAxis(dims, channels)
  if (along === undefined || dims[along] !== channels || (fewer !== 1 && fewer !== channels)) {
    const values = fewer === 1 || fewer === channels ? channels : `${mean.length} and ${std.length}`
    throw new CoreError(
      'DATASET_SHAPE',
      `The preprocessing has ${values} values of mean or std, but input ${quoteName(input)} of shape [N,${dims.join(',')}] has no channel axis of that size.`,
      { hint: 'Give one value, or one for each channel.', details: { expected: dims, found: channels } },
    )
  }
  const spread = (entries: readonly number[]) =>
    entries.length === 1 ? Array.from({ length: channels }, () => entries[0] as number) : entries
  return { scale, means: spread(mean), stds: spread(std), inner: countOf(dims.slice(along + 1)) }
}

/** Where the layout is not said: the first axis when it has that many entries (`[C,H,W]`, `[F]`), else the last (`[H,W,C]`). */
function channelAxis(dims: readonly number[], channels: number): number | undefined {
  if (dims[0] === channels) return 0
  return dims.at(-1) === channels ? dims.length - 1 : undefined
}
