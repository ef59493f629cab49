import { isIdentity } from '../../core/datasets/preprocess.ts'
import type { RuntimeTensor } from '../../core/inference-runtime.ts'
import { areFloatsInRange } from './input-fields.ts'
import type { SampleInput } from './model-signature.ts'

const FLOAT32_MAX = 3.4028234663852886e38

/** Values of one block: what a request can make the service take before its other samples were looked at. */
const BLOCK_VALUES = 65_536
/** Values of a block that requests share, and of a sample that may be in it: whoever keeps a sample keeps 16 kB. */
const SHARED_VALUES = 4096
const MOST_SHARED = 256

/** Where samples that come alone stand, whoever sent them. */
const shared = { block: new Float32Array(SHARED_VALUES), next: 0 }

/** Memory for the values of many samples: one block costs far less than one array for each, to make and to throw away. */
export class FloatBlock {
  private left: number
  private block: Float32Array | null = null
  private next = 0

  /** @param samples for which memory may be wanted */
  constructor(samples: number) {
    this.left = samples
  }

  take(count: number): Float32Array {
    if (this.block === null || this.next + count > this.block.length) {
      const samples = Math.min(this.left, Math.floor(BLOCK_VALUES / count))
      if (samples <= 1) return count <= MOST_SHARED ? takeShared(count) : new Float32Array(count)
      this.block = new Float32Array(count * samples)
      this.next = 0
    }
    this.left--
    this.next += count
    return this.block.subarray(this.next - count, this.next)
  }
}

function takeShared(count: number): Float32Array {
  if (shared.next + count > SHARED_VALUES) {
    shared.block = new Float32Array(SHARED_VALUES)
    shared.next = 0
  }
  shared.next += count
  return shared.block.subarray(shared.next - count, shared.next)
}

/**
 * Reads a sample of the form nearly all requests for models of tables have: one flat list of as many numbers as the input takes, all within
 * range, with nothing to be done to them. The same answer as `readSample`, in one pass; null where that has to look closer.
 */
export function plainSample(value: unknown, { port, sampleShape, steps, fields }: SampleInput, block: FloatBlock): RuntimeTensor | null {
  const count = sampleShape[0]
  if (port.type !== 'float32' || sampleShape.length !== 1 || !Array.isArray(value) || value.length !== count || count === 0) return null
  if (!isIdentity(steps)) return null
  const values = block.take(count)
  for (let i = 0; i < count; i++) {
    const number: unknown = value[i]
    // JSON has no NaN, but 1e999 parses as infinity.
    if (typeof number !== 'number' || !(number <= FLOAT32_MAX && number >= -FLOAT32_MAX)) return null
    values[i] = number
  }
  if (fields && !areFloatsInRange(fields, values, 0, 1, count)) return null
  return { type: 'float32', dims: [count], values }
}
