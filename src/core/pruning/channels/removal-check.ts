import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../../core-error.ts'
import { halfToFloat } from '../../float16.ts'
import type { InferenceRuntime, RuntimeTensor } from '../../inference-runtime.ts'
import { Graph } from '../../onnx/graph.ts'
import type { CalibrationSamples } from '../../quantization/calibration-samples.ts'
import { encodeWithOutputs } from '../../quantization/tensor-facts.ts'

/** Inputs compared. */
const CHECKED_FEEDS = 3
/** Relative difference of an output: float32 sums in another order differ by 1e-6, a wrong channel by far more. */
const TOLERANCE = 1e-4
/** Of models with float16 weights, which have 11 bits. */
const HALF_TOLERANCE = 2e-2

/** Operators whose small results are exact to an absolute error only: what goes in is compared instead. */
const SQUASHING: ReadonlySet<string> = new Set(['Sigmoid', 'Softmax', 'LogSoftmax', 'HardSigmoid', 'Tanh'])

/**
 * Checks that a pruned model computes what the same model with muted channels computes.
 * @throws CoreError `BUILD_VERIFICATION_FAILED` when it does not: the coupling of channels was not understood, nothing may be written
 * @throws the runtime's errors
 */
export async function requireSameOutputs(
  muted: ModelProto,
  pruned: ModelProto,
  feeds: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<void> {
  const { before, squashed } = comparedTensors(muted)
  // Without optimizations both compute in the same way.
  const expected = await runtime.load(encodeWithOutputs(muted, before), { optimization: 'disabled' })
  try {
    const found = await runtime.load(encodeWithOutputs(pruned, before), { optimization: 'disabled' })
    try {
      for (let index = 0; index < Math.min(CHECKED_FEEDS, feeds.feeds); index++) {
        const feed = await feeds.read(index)
        const [wanted, given] = [await expected.run(feed), await found.run(feed)]
        for (const [name, tensor] of Object.entries(wanted)) requireSame(name, tensor, given[name], squashed.has(name))
      }
    } finally {
      await found.close()
    }
  } finally {
    await expected.close()
  }
}

/** Tensors before the squashing operators at the outputs, and the outputs they stand for. */
function comparedTensors(model: ModelProto): { readonly before: string[]; readonly squashed: ReadonlySet<string> } {
  const graph = new Graph(model)
  const found = graph.outputs.flatMap(({ name }) => {
    const node = graph.producer(name)
    const input = node && SQUASHING.has(node.opType) ? node.input[0] : undefined
    return input !== undefined && graph.producer(input) ? [{ name, input }] : []
  })
  return { before: found.map(({ input }) => input), squashed: new Set(found.map(({ name }) => name)) }
}

function requireSame(name: string, wanted: RuntimeTensor, given: RuntimeTensor | undefined, squashed: boolean): void {
  const same = given !== undefined && given.dims.join() === wanted.dims.join()
  const difference = same ? (squashed ? 0 : relativeDifference(wanted, given)) : Number.POSITIVE_INFINITY
  if (difference <= (wanted.type === 'float16' ? HALF_TOLERANCE : TOLERANCE)) return
  throw new CoreError(
    'BUILD_VERIFICATION_FAILED',
    `Output "${name}" of the pruned model differs by ${difference.toPrecision(3)} from the model with the same channels muted.`,
    {
      hint: 'Exclude the nodes before that output, and please report the model. Nothing was written.',
      details: { output: name, difference },
    },
  )
}

/** ‖a − b‖ ÷ ‖a‖. Integers that depend on a comparison of floats are not compared. */
function relativeDifference(a: RuntimeTensor, b: RuntimeTensor): number {
  if (!a.type.includes('float')) return 0
  const value = (tensor: RuntimeTensor, index: number): number =>
    tensor.type === 'float16' ? halfToFloat((tensor.values as Uint16Array)[index]!) : Number(tensor.values[index])
  let [difference, size] = [0, 0]
  for (let index = 0; index < a.values.length; index++) {
    const [wanted, found] = [value(a, index), value(b, index)]
    // Where the muted model has no number, there is none to compare.
    if (!Number.isFinite(wanted)) continue
    difference += (wanted - found) ** 2
    size += wanted ** 2
  }
  if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY
  return difference === 0 ? 0 : Math.sqrt(difference / Math.max(size, Number.MIN_VALUE))
}
