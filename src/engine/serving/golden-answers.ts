import type { GoldenAnswers, TensorText } from '../../contract/service.ts'
import { encodeBase64 } from '../../core/base64.ts'
import type { LoadedModel, NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { quantizedNode } from '../../core/quantization/already-quantized.ts'
import type { OutputFeeds } from '../measure/output-feeds.ts'

/** More samples find nothing that these do not. */
export const goldenSamples = 8
/** They travel with every release: as text a third more. */
const MOST_BYTES = 2_000_000
/**
 * Largest difference as a share of an output's range. Float32 kernels of different processors differ by 1e-6 or so; half precision by a
 * thousandth of a value. 8-bit products saturate on x64 processors without VNNI and nowhere else, and a rounding that falls the other way moves a
 * value by a step of its grid: what remains of that in an output is a tenth of its range at worst in the sample models.
 */
const TOLERANCES = { float: 0.01, half: 0.03, eight: 0.25 } as const

/**
 * What a model answers to some samples, in the form that travels with a release.
 *
 * @returns null with the reason where a sample has text, is too large, or is answered with NaN or infinities
 * @throws EdgesmithError `MODEL_RUN_FAILED`
 */
export async function makeGoldenAnswers(
  model: LoadedModel,
  bytes: Uint8Array,
  feeds: OutputFeeds,
): Promise<{ readonly golden: GoldenAnswers | null; readonly note: string | null }> {
  const none = (reason: string) => ({ golden: null, note: `There are no golden answers: ${reason}.` })
  const samples: GoldenAnswers['samples'] = []
  let total = 0
  for (let index = 0; index < Math.min(feeds.feeds, goldenSamples); index++) {
    const inputs = feeds.read(index)
    const outputs = await model.run(inputs)
    const size = bytesOf(inputs) + bytesOf(outputs)
    if (Number.isNaN(size)) return none('the model takes or gives text')
    if (size > MOST_BYTES) return none(`one sample takes ${(size / 1e6).toFixed(1)} MB`)
    if (!isAllFinite(outputs)) return none(`the model answers sample ${index} of ${feeds.source} with NaN or infinity on this computer`)
    total += size
    if (total > MOST_BYTES) break
    samples.push({ inputs: asText(inputs), outputs: asText(outputs) })
  }
  return { golden: { samples, tolerance: toleranceOf(bytes, model) }, note: null }
}

function toleranceOf(bytes: Uint8Array, { inputs, outputs }: LoadedModel): number {
  const graph = new Graph(decodeModel(bytes, 'the model'))
  if (quantizedNode(graph)) return TOLERANCES.eight
  // A half-precision model has casts to it, or takes or gives it.
  const isHalf = [...inputs, ...outputs].some(({ type }) => type === 'float16') || graph.nodes.some(({ opType }) => opType === 'Cast')
  return isHalf ? TOLERANCES.half : TOLERANCES.float
}

/** NaN where there is text. */
function bytesOf(tensors: NamedTensors): number {
  return Object.values(tensors).reduce((sum, { values }) => sum + (ArrayBuffer.isView(values) ? values.byteLength : Number.NaN), 0)
}

function isAllFinite(tensors: NamedTensors): boolean {
  return Object.values(tensors).every(
    ({ type, values }) => !(type === 'float32' || type === 'float64') || (values as Float32Array).every(Number.isFinite),
  )
}

function asText(tensors: NamedTensors): TensorText[] {
  return Object.entries(tensors).map(([name, { type, dims, values }]: [string, RuntimeTensor]) => {
    const view = values as Float32Array
    return { name, type, dims: [...dims], values: encodeBase64(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) }
  })
}
