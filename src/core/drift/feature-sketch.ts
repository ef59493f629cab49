import { decodeBase64, encodeBase64 } from '../base64.ts'

/** Where a watched number comes from: an element of an input as the model takes it, the predicted class, or an element of an output. */
export type DriftSource =
  | { readonly kind: 'input'; readonly name: string; readonly index: number }
  | { readonly kind: 'class' }
  | { readonly kind: 'output'; readonly name: string; readonly index: number }

/** A number that every prediction has. */
export interface WatchedFeature {
  readonly name: string
  readonly source: DriftSource
}

/**
 * How a feature was distributed in the reference. JSON; the contract's `featureSketchSchema` checks it.
 *
 * numeric: `edges` part the numbers into bins that held about a tenth each; bin i holds edges[i − 1] < value ≤ edges[i].
 * categorical: `edges` are all values there were; bin i holds value = edges[i], the one after them every other number.
 * Both: the last bin holds what is no finite number, so that `counts` has two entries more than `edges`.
 */
export interface FeatureSketch extends WatchedFeature {
  readonly kind: 'numeric' | 'categorical'
  /** Ascending. */
  readonly edges: readonly number[]
  /** Rows in each bin. */
  readonly counts: readonly number[]
  /** Base64 of little-endian float32, ascending: values of rows picked at random, finite ones only; empty for categorical features. */
  readonly sample: string
}

/** How rows that a model was made for look: what drift is measured against. Stored with the build. */
export interface DriftReference {
  readonly version: 1
  /** Rows that were offered; those counted may be a random part of them. */
  readonly rows: number
  readonly features: readonly FeatureSketch[]
}

/** Bin of a value, as {@link FeatureSketch} explains. */
export function binOf({ kind, edges }: Pick<FeatureSketch, 'kind' | 'edges'>, value: number): number {
  if (!Number.isFinite(value)) return edges.length + 1
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return kind === 'numeric' || edges[low] === value ? low : edges.length
}

/** Rows in each bin of a sketch. */
export function countBins(sketch: Pick<FeatureSketch, 'kind' | 'edges'>, values: Float32Array): number[] {
  const counts = new Array<number>(sketch.edges.length + 2).fill(0)
  for (const value of values) {
    const bin = binOf(sketch, value)
    counts[bin] = (counts[bin] as number) + 1
  }
  return counts
}

/** The finite values, ascending. */
export function finiteAscending(values: Float32Array): Float32Array {
  const finite = new Float32Array(values.length)
  let count = 0
  // A loop takes a third of the time of filter().
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    if (Number.isFinite(value)) finite[count++] = value
  }
  return finite.subarray(0, count).sort()
}

/** Little-endian float32 as base64, whatever the machine's byte order. */
export function encodeSample(values: Float32Array): string {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [index, value] of values.entries()) view.setFloat32(4 * index, value, true)
  return encodeBase64(bytes)
}

/** The values of {@link encodeSample}. @throws RangeError for text that is no base64 of whole float32 values */
export function decodeSample(text: string): Float32Array {
  const bytes = decodeBase64(text)
  if (bytes.length % 4 !== 0) throw new RangeError(`a sample of ${bytes.length} bytes, expected a multiple of 4`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index, true))
}
