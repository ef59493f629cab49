import { inverseCholeskyFactor } from './cholesky.ts'
import type { LayerGram } from './layer-gram.ts'

/** Share of the mean diagonal that is added to the diagonal; GPTQ's own default. More where that leaves the matrix singular. */
const DAMPING = [0.01, 0.1, 1] as const

/**
 * The factor that GPTQ and SparseGPT walk along, of H with its diagonal raised a little: fewer rows than columns, or columns that are
 * always zero, would leave it without an inverse.
 *
 * @returns `undefined` when the inputs are all zero, or H is not positive definite for all that
 */
export function dampedInverseFactor({ values, size }: LayerGram): Float64Array | undefined {
  let trace = 0
  for (let index = 0; index < size; index++) trace += values[index * (size + 1)]!
  if (!(trace > 0)) return undefined
  for (const share of DAMPING) {
    const damped = values.slice()
    for (let index = 0; index < size; index++) damped[index * (size + 1)] = damped[index * (size + 1)]! + (share * trace) / size
    const factor = inverseCholeskyFactor(damped, size)
    if (factor) return factor
  }
  return undefined
}
