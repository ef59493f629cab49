import { EdgesmithError } from '../../contract/errors.ts'
import type { GoldenAnswers, TensorText } from '../../contract/service.ts'
import { encodeBase64 } from '../../core/base64.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { LoadedModel, NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { quantizedNode } from '../../core/quantization/already-quantized.ts'
import type { OutputFeeds } from '../measure/output-feeds.ts'

/** More samples find nothing that these do not. */
export const goldenSamples = 8
/** So many are run where others are answered with NaN or infinity, before that is believed of all. */
export const mostSamplesRun = 64
/** They travel with every release: as text a third more. */
const MOST_BYTES = 2_000_000
/**
 * Largest difference as a share of an output's range. Float32 kernels of different processors differ by 1e-6 or so; half precision by a
 * thousandth of a value. 8-bit products saturate on x64 processors without VNNI and nowhere else, and a rounding that falls the other way moves a
 * value by a step of its grid: what remains of that in an output is a tenth of its range at worst in the sample models.
 */
const TOLERANCES = { float: 0.01, half: 0.03, eight: 0.25 } as const

/**
 * What a model answers to some samples, in the form that travels with a release. Samples that are answered with NaN or infinities are left out:
 * machines need not agree on those.
 *
 * @param isReal the samples are a dataset's: a model that answers none of them with a number is broken
 * @returns null with the reason where a sample has text or is too large, or all of them are left out
 * @throws EdgesmithError `MODEL_RUN_FAILED`; `BUILD_VERIFICATION_FAILED` when an output has no finite value for any of the real samples
 */
export async function makeGoldenAnswers(
  model: LoadedModel,
  bytes: Uint8Array,
  feeds: OutputFeeds,
  isReal: boolean,
): Promise<{ readonly golden: GoldenAnswers | null; readonly note: string | null }> {
  const none = (reason: string) => ({ golden: null, note: `There are no golden answers: ${reason}.` })
  const samples: GoldenAnswers['samples'] = []
  const notFinite = new NotFiniteOutputs()
  let total = 0
  for (const index of spreadOrder(feeds.feeds)) {
    if (samples.length === goldenSamples) break
    const inputs = feeds.read(index)
    const outputs = await model.run(inputs)
    const size = bytesOf(inputs) + bytesOf(outputs)
    if (Number.isNaN(size)) return none('the model takes or gives text')
    if (size > MOST_BYTES) return none(`one sample takes ${(size / 1e6).toFixed(1)} MB`)
    if (!notFinite.add(outputs)) continue
    total += size
    if (total > MOST_BYTES) break
    samples.push({ inputs: asText(inputs), outputs: asText(outputs) })
  }
  const broken = notFinite.broken
  if (isReal && broken !== null) throw brokenModel(broken, notFinite.runs, feeds.source)
  const found = notFinite.text(feeds.source)
  if (samples.length === 0) return none(found ?? 'there are no samples')
  return { golden: { samples, tolerance: toleranceOf(bytes, model) }, note: found && `Golden answers are made of other samples: ${found}.` }
}

/** Samples that lie far apart come first. */
function* spreadOrder(count: number): Generator<number> {
  const stride = Math.ceil(count / goldenSamples)
  for (let first = 0; first < stride; first++) for (let index = first; index < count; index += stride) yield index
}

function brokenModel(output: string, runs: number, source: string): EdgesmithError {
  return new EdgesmithError(
    'BUILD_VERIFICATION_FAILED',
    `Output ${quoteName(output)} is NaN or infinite, all of it, for all ${runs} samples of ${source} that were run.`,
    {
      hint: 'Something in the model overflows or divides by zero. Half precision ends at 65,504: build it in another way, or keep that layer as it is. Does the preprocessing fit the model?',
      details: { output, samples: runs },
    },
  )
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

/** Which outputs have values that are no numbers. */
class NotFiniteOutputs {
  /** How many answers were looked at. */
  runs = 0
  #answers = 0
  readonly #found = new Map<string, { answers: number; hasFinite: boolean }>()

  /** Looks at an answer. @returns whether all of it is finite */
  add(tensors: NamedTensors): boolean {
    this.runs++
    let isWhole = true
    for (const [name, tensor] of Object.entries(tensors)) {
      const finite = finiteValues(tensor)
      const known = this.#found.get(name) ?? { answers: 0, hasFinite: false }
      this.#found.set(name, known)
      if (finite > 0 || tensor.values.length === 0) known.hasFinite = true
      if (finite === tensor.values.length) continue
      known.answers++
      isWhole = false
    }
    if (!isWhole) this.#answers++
    return isWhole
  }

  /** The first output without a finite value in any answer. */
  get broken(): string | null {
    return [...this.#found].find(([, { hasFinite }]) => !hasFinite)?.[0] ?? null
  }

  /** What was found, in words; null where all was finite. */
  text(source: string): string | null {
    if (this.#answers === 0) return null
    const names = [...this.#found].flatMap(([name, { answers }]) => (answers > 0 ? [quoteName(name)] : []))
    return `${this.#answers} of ${this.runs} samples of ${source} are answered with NaN or infinity on this computer (${names.join(', ')})`
  }
}

function finiteValues({ type, values }: RuntimeTensor): number {
  if (type !== 'float32' && type !== 'float64' && type !== 'float16') return values.length
  let count = 0
  for (const value of values as Float32Array) if (Number.isFinite(type === 'float16' ? halfToFloat(value) : value)) count++
  return count
}

function asText(tensors: NamedTensors): TensorText[] {
  return Object.entries(tensors).map(([name, { type, dims, values }]: [string, RuntimeTensor]) => {
    const view = values as Float32Array
    return { name, type, dims: [...dims], values: encodeBase64(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) }
  })
}
