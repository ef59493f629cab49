import { halfToFloat } from '../float16.ts'
import type { NamedTensors } from '../inference-runtime.ts'
import { FidelityAccumulator, LIMIT_DB } from '../metrics/fidelity.ts'
import type { ActivationGrid } from './corresponding-tensors.ts'

/** How far a tensor of a build is from the baseline's, over all samples. */
export interface TensorDistance {
  /** Signal to noise; null when both are identical, −300 where the build's is not finite and the baseline's is. */
  readonly sqnrDb: number | null
  /** Null where the build's values are not finite. */
  readonly maxAbsDiff: number | null
  /** Number of values compared. */
  readonly values: number
  /** Smallest and largest finite value of the baseline. */
  readonly min: number
  readonly max: number
  /** Values of the build that are infinite or NaN where the baseline's are finite. */
  readonly notFinite: number
  /** Values of the baseline that the build's grid cannot hold. */
  readonly clipped: number
  /** Squared error of clipping the baseline's values to the grid, as a share of the squared error of the build's; 0 without a grid. */
  readonly clippingShare: number
}

/**
 * One tensor's sums over all feeds. A tensor that is not there, is no float, or has another size in the build is not comparable: no result.
 */
export class DistanceSum {
  private readonly grid: ActivationGrid | undefined
  private readonly fidelity = new FidelityAccumulator()
  private values = 0
  private min = Number.POSITIVE_INFINITY
  private max = Number.NEGATIVE_INFINITY
  private notFinite = 0
  private clipped = 0
  private clippingError = 0
  private error = 0
  private comparable = true

  constructor(grid: ActivationGrid | undefined) {
    this.grid = grid
  }

  /** One feed: what each model gave, and how the tensor is called there. */
  add(baseline: NamedTensors, tensor: string, build: NamedTensors, buildTensor: string): void {
    const [expected, found] = [floats(baseline, tensor), floats(build, buildTensor)]
    if (!expected || !found || expected.length !== found.length) {
      this.comparable = false
      return
    }
    this.values += expected.length
    const { lowest, highest } = gridRange(this.grid)
    for (let index = 0; index < expected.length; index++) {
      const value = expected[index]!
      if (!Number.isFinite(value)) continue
      if (value < this.min) this.min = value
      if (value > this.max) this.max = value
      const difference = found[index]! - value
      if (Number.isFinite(difference)) this.error += difference * difference
      else this.notFinite++
      const beyond = value > highest ? value - highest : value < lowest ? lowest - value : 0
      if (beyond > 0) {
        this.clipped++
        this.clippingError += beyond * beyond
      }
    }
    if (this.notFinite === 0) this.fidelity.add(expected, found)
  }

  /** `undefined` for what is not comparable, or never held a finite value. */
  result(): TensorDistance | undefined {
    if (!this.comparable || this.values === 0 || this.min > this.max) return undefined
    const { sqnrDb, maxAbsDiff } = this.fidelity.result()
    const broken = this.notFinite > 0
    return {
      sqnrDb: broken ? -LIMIT_DB : sqnrDb,
      maxAbsDiff: broken ? null : maxAbsDiff,
      values: this.values,
      min: this.min,
      max: this.max,
      notFinite: this.notFinite,
      clipped: this.clipped,
      clippingShare: this.error > 0 ? Math.min(1, this.clippingError / this.error) : 0,
    }
  }
}

/** Values that round to an integer of the grid: half a step beyond its ends. */
function gridRange(grid: ActivationGrid | undefined): { readonly lowest: number; readonly highest: number } {
  if (!grid) return { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY }
  const { scale, zeroPoint, lowest, highest } = grid
  return { lowest: (lowest - 0.5 - zeroPoint) * scale, highest: (highest + 0.5 - zeroPoint) * scale }
}

type Floats = Float32Array | Float64Array

function floats(tensors: NamedTensors, name: string): Floats | undefined {
  const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
  if (tensor?.type === 'float16') return Float32Array.from(tensor.values as Uint16Array, halfToFloat)
  const values = tensor?.values
  return values instanceof Float32Array || values instanceof Float64Array ? values : undefined
}
