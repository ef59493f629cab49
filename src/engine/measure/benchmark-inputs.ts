import { EdgesmithError } from '../../contract/errors.ts'
import { floatToHalf } from '../../core/float16.ts'
import type { NamedTensors, Port, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementCount } from '../../core/onnx/tensor-values.ts'
import { seededRandom } from '../../core/statistics/seeded-random.ts'

/** Inputs for timing, and what had to be assumed to make them. */
export interface BenchmarkInputs {
  readonly feeds: NamedTensors
  /** One sentence for each assumption that the timings depend on. */
  readonly assumptions: string[]
}

/** Two gigabytes of inputs are a mistyped batch, not a benchmark. */
const INPUT_BYTES_LIMIT = 2 ** 31

/** Side of an image whose height and width the model leaves open: what ImageNet models are trained on. */
const OPEN_IMAGE_SIDE = 224
/** Length of a sequence the model leaves open: short enough for every text model, long enough to be work. */
const OPEN_SEQUENCE = 128

/**
 * Makes up inputs from what the model says of them; the same model and batch give the same inputs everywhere.
 *
 * Values: floating point uniform in [0, 1); 8-bit integers uniform over their range, as pixels are; wider integers and bool 1, which
 * is a valid token, mask, index and length.
 *
 * Open dimensions: the first of each input is the batch. The same name gets the same size everywhere. Others: with a name like
 * "sequence" or "length" 128, else in a 4-dimensional input 224 (image), else 1. Each is reported as an assumption.
 *
 * A model whose inputs all have a fixed first dimension runs with that batch only (inputs of one dimension have no batch: 1).
 *
 * @throws EdgesmithError `USAGE` for a batch the model cannot take or an input that cannot be made up (strings, 4-bit types);
 *   `TOO_LARGE` for more than 2 GiB of inputs
 */
export function makeBenchmarkInputs(inputs: readonly Port[], batch: number): BenchmarkInputs {
  const { shapes, assumptions } = benchmarkShapes(inputs, batch)
  let bytes = 0
  const random = seededRandom(1)
  const feeds: [string, RuntimeTensor][] = []
  for (const [index, { name, type }] of inputs.entries()) {
    const dims = shapes[index] as number[]
    const maker = makers[type]
    if (!maker) {
      throw new EdgesmithError('USAGE', `Input "${name}" takes ${type} values, which a benchmark cannot make up.`, {
        hint: 'Benchmark a model whose inputs are numbers, for example the part behind the tokenizer.',
        details: { input: name, type },
      })
    }
    const count = elementCount(dims)
    bytes += count * maker.bytes
    if (bytes > INPUT_BYTES_LIMIT) {
      throw new EdgesmithError(
        'TOO_LARGE',
        `The inputs for batch ${batch} take more than 2 GiB (input "${name}" is [${dims.join(',')}]).`,
        {
          hint: 'Choose a smaller batch.',
          details: { input: name, dims, batch },
        },
      )
    }
    feeds.push([name, { type, dims, values: maker.make(count, random.uniform) }])
  }
  // fromEntries defines properties, so that an input may be called "__proto__".
  return { feeds: Object.fromEntries(feeds), assumptions }
}

/**
 * The shapes {@link makeBenchmarkInputs} gives the inputs, in their order, and what had to be assumed.
 * @throws EdgesmithError `USAGE` for a batch the model cannot take
 */
export function benchmarkShapes(inputs: readonly Port[], batch: number): { shapes: number[][]; assumptions: string[] } {
  requireBatch(inputs, batch)
  const sizes = new Map<string, number>()
  const assumptions: string[] = []
  for (const { shape } of inputs) {
    const first = shape[0]
    if (typeof first === 'string') sizes.set(first, batch)
  }
  const shapes = inputs.map(({ name, shape }) =>
    shape.map((dim, axis) => {
      if (typeof dim === 'number') return dim
      const known = axis === 0 ? batch : dim === undefined ? undefined : sizes.get(dim)
      if (known !== undefined) return known
      const size = openSize(dim, shape.length)
      if (dim !== undefined) sizes.set(dim, size)
      assumptions.push(
        `Input "${name}" leaves dimension ${axis}${dim === undefined ? '' : ` ("${dim}")`} open; it was measured with ${size}.`,
      )
      return size
    }),
  )
  return { shapes, assumptions }
}

function requireBatch(inputs: readonly Port[], batch: number): void {
  const open = inputs.some(({ shape }) => shape.length > 0 && typeof shape[0] !== 'number')
  if (open) return
  const batched = inputs.find(({ shape }) => shape.length > 1)
  const fixed = batched ? (batched.shape[0] as number) : 1
  if (fixed === batch) return
  const described = batched
    ? `input "${batched.name}" is [${batched.shape.map((dim) => dim ?? '?').join(',')}]`
    : 'no input has a batch dimension'
  throw new EdgesmithError('USAGE', `The model only takes batch ${fixed} (${described}), asked for was batch ${batch}.`, {
    hint: `Use batch ${fixed}, or export the model with a dynamic first dimension.`,
    details: { fixedBatch: fixed, batch },
  })
}

function openSize(name: string | undefined, rank: number): number {
  if (/seq|len|token|time|frame/i.test(name ?? '')) return OPEN_SEQUENCE
  return rank === 4 ? OPEN_IMAGE_SIDE : 1
}

interface Maker {
  readonly bytes: number
  make(count: number, uniform: () => number): TensorValues
}

const makers: Partial<Record<Port['type'], Maker>> = {
  float32: { bytes: 4, make: (count, uniform) => Float32Array.from({ length: count }, uniform) },
  float64: { bytes: 8, make: (count, uniform) => Float64Array.from({ length: count }, uniform) },
  float16: { bytes: 2, make: (count, uniform) => Uint16Array.from({ length: count }, () => floatToHalf(uniform())) },
  uint8: { bytes: 1, make: (count, uniform) => Uint8Array.from({ length: count }, () => Math.floor(uniform() * 256)) },
  int8: { bytes: 1, make: (count, uniform) => Int8Array.from({ length: count }, () => Math.floor(uniform() * 256) - 128) },
  bool: { bytes: 1, make: (count) => new Uint8Array(count).fill(1) },
  uint16: { bytes: 2, make: (count) => new Uint16Array(count).fill(1) },
  int16: { bytes: 2, make: (count) => new Int16Array(count).fill(1) },
  uint32: { bytes: 4, make: (count) => new Uint32Array(count).fill(1) },
  int32: { bytes: 4, make: (count) => new Int32Array(count).fill(1) },
  uint64: { bytes: 8, make: (count) => new BigUint64Array(count).fill(1n) },
  int64: { bytes: 8, make: (count) => new BigInt64Array(count).fill(1n) },
}
