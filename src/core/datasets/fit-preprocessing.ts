import type { PreprocessingSteps } from './preprocess.ts'

/**
 * Ways to choose scale, mean and std. From the data: `standardize` (mean 0, deviation 1), `min-max` (0 to 1), `symmetric` (−1 to 1).
 * From what is known of bytes: `bytes` (0…255 to 0…1), `bytes-symmetric` (0…255 to −1…1, how MobileNet and Inception were trained),
 * `imagenet` (0…1, then mean and deviation of ImageNet's RGB channels, as torchvision's models take it).
 */
export type FitMethod = 'standardize' | 'min-max' | 'symmetric' | 'bytes' | 'bytes-symmetric' | 'imagenet'

/** Statistics of stored values along the channel or feature axis: the contract's `ArrayStatistics`. */
export interface FittedStatistics {
  readonly mean: readonly number[]
  readonly std: readonly number[]
  readonly min: readonly number[]
  readonly max: readonly number[]
}

/** A description with other arithmetic. */
export type Fitted<P> = Omit<P, 'scale' | 'mean' | 'std'> & { scale?: number; mean?: number[]; std?: number[] }

/** Source: torchvision.models, "Normalization", https://pytorch.org/vision/stable/models.html */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/**
 * A preprocessing description with scale, mean and std chosen anew; everything else in it stays. Where channels are reversed, the entries
 * are as well, because mean and std come after. A constant feature gets a deviation of 1, so that it becomes 0.
 * Worked example: `min-max` of a feature from 2 to 6 gives mean 2 and std 4, because (6 − 2) ÷ 4 = 1.
 *
 * @param statistics of the stored array; only the first three methods look at it, and without it they give the description as it is
 */
export function fitPreprocessing<P extends PreprocessingSteps>(
  method: FitMethod,
  statistics: FittedStatistics | undefined,
  current: P,
): Fitted<P> {
  const { scale, mean, std, ...rest } = current
  switch (method) {
    case 'bytes':
      return { ...rest, scale: 1 / 255 }
    case 'bytes-symmetric':
      return { ...rest, scale: 1 / 127.5, mean: [1] }
    case 'imagenet':
      return { ...rest, scale: 1 / 255, mean: ordered(IMAGENET.mean, current), std: ordered(IMAGENET.std, current) }
    default: {
      if (!statistics) return { ...rest, ...asGiven(current) }
      const fitted = fromData(method, statistics)
      const deviations = fitted.std.map((deviation) => (deviation > 0 ? deviation : 1))
      return { ...rest, mean: ordered(fitted.mean, current), std: ordered(deviations, current) }
    }
  }
}

function asGiven({ scale, mean, std }: PreprocessingSteps): { scale?: number; mean?: number[]; std?: number[] } {
  return { ...(scale === undefined ? {} : { scale }), ...(mean ? { mean: [...mean] } : {}), ...(std ? { std: [...std] } : {}) }
}

function fromData(
  method: 'standardize' | 'min-max' | 'symmetric',
  { mean, std, min, max }: FittedStatistics,
): { readonly mean: readonly number[]; readonly std: readonly number[] } {
  const ranges = max.map((high, index) => high - (min[index] ?? high))
  switch (method) {
    case 'standardize':
      return { mean, std }
    case 'min-max':
      return { mean: min, std: ranges }
    case 'symmetric':
      return { mean: max.map((high, index) => (high + (min[index] ?? high)) / 2), std: ranges.map((range) => range / 2) }
  }
}

/** Entries in the order the channels have when they are used, with a digit more than float32 has. */
function ordered(entries: readonly number[], { reverseChannels = false }: PreprocessingSteps): number[] {
  const rounded = entries.map((entry) => Number(entry.toPrecision(8)))
  return reverseChannels ? rounded.reverse() : rounded
}
