import { CoreError } from '../core-error.ts'
import { quoteName } from '../onnx/quote-name.ts'

/** The contract's `Preprocessing`: value × scale, then (value − mean[c]) ÷ std[c] on the channel axis. Absent fields do nothing. */
export interface PreprocessingSteps {
  readonly scale?: number | undefined
  readonly mean?: readonly number[] | undefined
  readonly std?: readonly number[] | undefined
}

/** True when nothing is to be done. */
export function isIdentity({ scale, mean, std }: PreprocessingSteps): boolean {
  return scale === undefined && mean === undefined && std === undefined
}

/**
 * The axis that `mean` and `std` run along: 1 (`[N,C,H,W]`, `[N,F]`) when it has that many entries, else the last (`[N,H,W,C]`).
 * One entry stands for all channels.
 *
 * @param dims with the batch dimension first
 * @param length entries of `mean` or `std`
 * @param input how messages call the tensor
 * @throws CoreError `DATASET_SHAPE` when no axis has that many entries
 */
export function channelAxis(dims: readonly number[], length: number, input: string): number | undefined {
  if (length === 1) return undefined
  if (dims.length > 1 && dims[1] === length) return 1
  if (dims.length > 1 && dims.at(-1) === length) return dims.length - 1
  throw new CoreError(
    'DATASET_SHAPE',
    `The preprocessing has ${length} values of mean or std, but input ${quoteName(input)} of shape [N,${dims.slice(1).join(',')}] has no channel axis of that size.`,
    { hint: 'Give one value, or one for each channel.', details: { expected: dims.slice(1), found: length } },
  )
}

/**
 * Applies preprocessing in place. Evaluation and server both call this, so they cannot disagree; it computes in float64 and rounds once.
 * Worked example: 51, scale 1/255, mean 0.5, std 0.25 → (0.2 − 0.5) ÷ 0.25 = −1.2.
 *
 * @param values elements of a tensor with the batch dimension first, row-major
 * @param dims its dimensions
 * @param input how messages call the tensor
 * @throws CoreError `DATASET_SHAPE` when `mean` or `std` fit no axis
 */
export function preprocess(
  values: Float32Array | Float64Array,
  dims: readonly number[],
  { scale = 1, mean = [0], std = [1] }: PreprocessingSteps,
  input: string,
): void {
  const means = spread(mean, dims, input)
  const stds = spread(std, dims, input)
  if (means.inner === stds.inner && means.entries.length === stds.entries.length && means.inner > 0) {
    perChannel(values, scale, means.entries, stds.entries, means.inner)
    return
  }
  for (let index = 0; index < values.length; index++) {
    values[index] = ((values[index] as number) * scale - entryAt(means, index)) / entryAt(stds, index)
  }
}

/** Entries that repeat every `inner` elements; 0 for a single one. */
interface Spread {
  readonly entries: readonly number[]
  readonly inner: number
}

function spread(entries: readonly number[], dims: readonly number[], input: string): Spread {
  const axis = channelAxis(dims, entries.length, input)
  return { entries, inner: axis === undefined ? 0 : dims.slice(axis + 1).reduce((product, dim) => product * dim, 1) }
}

function entryAt({ entries, inner }: Spread, index: number): number {
  return (inner === 0 ? entries[0] : entries[Math.floor(index / inner) % entries.length]) as number
}

/** The common case without a division for each element. */
function perChannel(
  values: Float32Array | Float64Array,
  scale: number,
  means: readonly number[],
  stds: readonly number[],
  inner: number,
): void {
  for (let from = 0, channel = 0; from < values.length; from += inner, channel = (channel + 1) % means.length) {
    const [mean, std] = [means[channel] as number, stds[channel] as number]
    for (let index = from; index < from + inner; index++) values[index] = ((values[index] as number) * scale - mean) / std
  }
}
