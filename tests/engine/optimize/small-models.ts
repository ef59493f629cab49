import type { ModelProto, NodeProto, TensorProto, ValueInfoProto } from 'onnx-buf'
import { recipeStepSchemas } from '../../../src/contract/recipe.ts'
import type { NamedTensors } from '../../../src/core/inference-runtime.ts'
import { makeModel, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { floatValues, integerValues, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import {
  type StaticallyQuantizedModel,
  type StaticOptions,
  StaticQuantization,
} from '../../../src/core/quantization/static-quantization.ts'
import { targetRules } from '../../../src/core/quantization/target-rules.ts'
import type { CalibrationFeeds } from '../../../src/engine/optimize/calibration-feeds.ts'
import { verifyBuild } from '../../../src/engine/optimize/verification.ts'
import { countInt8Kernels, type Int8Kernels } from '../../../src/engine/runtimes/int8-kernels.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'

/** mulberry32, numbers in [0, 1): the bounds in the tests were measured on the networks it makes. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const random = mulberry32(7)

/** A float32 tensor of values between −`size` and `size`. */
export function weights(name: string, dims: readonly number[], size = 0.5): TensorProto {
  const count = dims.reduce((product, dim) => product * dim, 1)
  return makeTensor(
    name,
    'float32',
    dims,
    Float32Array.from({ length: count }, () => (random() * 2 - 1) * size),
  )
}

/** A float32 tensor of the values given. */
export function constant(name: string, dims: readonly number[], values: readonly number[]): TensorProto {
  return makeTensor(name, 'float32', dims, Float32Array.from(values))
}

/** A model from float input `x` to the float outputs named. */
export function model(
  inputShape: readonly (number | string)[],
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[],
  outputs: Readonly<Record<string, readonly (number | string)[]>>,
  options: { readonly opset?: number; readonly extraInputs?: readonly ValueInfoProto[] } = {},
): ModelProto {
  return makeModel({
    nodes,
    initializers,
    inputs: [makeValueInfo('x', 'float32', inputShape), ...(options.extraInputs ?? [])],
    outputs: Object.entries(outputs).map(([name, shape]) => makeValueInfo(name, 'float32', shape)),
    ...(options.opset === undefined ? {} : { opset: options.opset }),
  })
}

/** Feeds of values between −`size` and `size` for input `x`; symbolic dimensions are 1. */
export function feedsOf(source: ModelProto, count = 16, size = 1): CalibrationFeeds {
  const generator = mulberry32(11)
  const feeds = Array.from({ length: count }, (): NamedTensors => {
    const entries = source.graph!.input.filter(({ name }) => !source.graph!.initializer.some((tensor) => tensor.name === name))
    return Object.fromEntries(
      entries.map(({ name, type }) => {
        const tensorType = type?.value.case === 'tensorType' ? type.value.value : undefined
        const dims = tensorType!.shape!.dim.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : 1))
        const length = dims.reduce((product, dim) => product * dim, 1)
        return [name, { type: 'float32', dims, values: Float32Array.from({ length }, () => (generator() * 2 - 1) * size) }]
      }),
    )
  })
  return { feeds: count, samples: count, read: async (index) => feeds[index]! }
}

/** A model quantized with static int8, what ONNX Runtime makes of it, and how close it is to its source. */
export interface StaticallyQuantized extends StaticallyQuantizedModel {
  readonly bytes: Uint8Array
  readonly kernels: Int8Kernels
  readonly sqnrDb: number
}

/** Quantizes (one round: nothing is taken back) and runs the result beside its source with real ONNX Runtime. */
export async function quantizeStatic(source: ModelProto, settings: Partial<StaticOptions> = {}): Promise<StaticallyQuantized> {
  const options: StaticOptions = { target: 'x64', perChannel: true, exclude: [], ...settings }
  const feeds = feedsOf(source)
  const result = (await StaticQuantization.calibrated(source, feeds, onnxRuntime, options)).quantize()
  const bytes = encodeModel(result.model)
  const kernels = await countInt8Kernels(bytes, { signedActivations: targetRules(options.target).signedKernels })
  const { sqnrDb } = await verifyBuild(encodeModel(source), bytes, feeds, options.target, onnxRuntime)
  return { ...result, bytes, kernels, sqnrDb: sqnrDb ?? Number.POSITIVE_INFINITY }
}

/** Operators of a model and how often each occurs. */
export function opCounts(built: ModelProto): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { opType } of built.graph!.node) counts[opType] = (counts[opType] ?? 0) + 1
  return counts
}

/** Values of an initializer. */
export function initializer(built: ModelProto, name: string): number[] {
  const tensor = built.graph!.initializer.find((entry) => entry.name === name)
  if (!tensor) throw new Error(`no initializer ${name}`)
  return tensor.dataType === 1 ? [...floatValues(tensor)] : integerValues(tensor)
}

/** What a tensor is quantized with: an activation by its name, a constant by the name it had in float. */
export interface Quantization {
  /** The integers, for a constant. */
  readonly values: readonly number[] | undefined
  readonly scales: readonly number[]
  readonly zeroPoints: readonly number[]
}

/** How `tensor` is quantized: read from the DequantizeLinear that gives it, or from that of its quantized constant. */
export function quantization(built: ModelProto, tensor: string): Quantization {
  const { node, initializer: initializers } = built.graph!
  const dequantizers = node.filter(({ opType }) => opType === 'DequantizeLinear')
  const found = dequantizers.find(
    ({ input, output }) => output[0] === tensor || output[0] === `${tensor}_dequantized` || input[0] === `${tensor}_quantized`,
  )
  if (!found) throw new Error(`${tensor} is not quantized`)
  const [values, scale, zeroPoint] = found.input as [string, string, string?]
  const stored = initializers.some(({ name }) => name === values)
  return {
    values: stored ? initializer(built, values) : undefined,
    scales: initializer(built, scale),
    zeroPoints: zeroPoint ? initializer(built, zeroPoint) : [],
  }
}

/** A recipe step with its default settings. */
export function step<K extends keyof typeof recipeStepSchemas>(recipe: K, settings: Readonly<Record<string, unknown>> = {}) {
  return recipeStepSchemas[recipe].parse({ recipe, ...settings })
}
