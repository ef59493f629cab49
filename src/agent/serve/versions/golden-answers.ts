import type { GateCheck } from '../../../contract/routing.ts'
import type { GoldenAnswers, TensorText } from '../../../contract/service.ts'
import { decodeBase64 } from '../../../core/base64.ts'
import { halfToFloat } from '../../../core/float16.ts'
import type { LoadedModel, NamedTensors, RuntimeTensor } from '../../../core/inference-runtime.ts'
import { outputSpan } from '../../../core/metrics/output-span.ts'
import type { ElementType } from '../../../core/onnx/data-types.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import { tensorFromBytes } from '../v2/tensor-bytes.ts'

/**
 * Runs the model on inputs whose answers are known from the computer it was deployed from, and compares. Other work of this thread gets its
 * turn between two runs.
 */
export async function checkGolden(model: LoadedModel, golden: GoldenAnswers): Promise<GateCheck> {
  const fail = (text: string): GateCheck => ({ name: 'golden answers', passed: false, text: text.slice(0, 2000) })
  const ranges = new Map<string, OutputSpread>()
  const expected: NamedTensors[] = []
  const found: NamedTensors[] = []
  for (const [index, { inputs, outputs }] of golden.samples.entries()) {
    try {
      const wanted = tensors(outputs)
      const got = await model.run(tensors(inputs))
      const problem = formProblem(wanted, got)
      if (problem) return fail(`Sample ${index}: ${problem}.`)
      for (const [name, tensor] of Object.entries(wanted)) spreadOf(ranges, name).widen(tensor)
      expected.push(wanted)
      found.push(got)
    } catch (error) {
      return fail(`Sample ${index} could not be run: ${error instanceof Error ? error.message : String(error)}`)
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
  let worst = 0
  for (const [index, wanted] of expected.entries()) {
    for (const [name, tensor] of Object.entries(wanted)) {
      const share = spreadOf(ranges, name).distance(tensor, (found[index] as NamedTensors)[name] as RuntimeTensor)
      worst = Math.max(worst, share)
      if (share > golden.tolerance) {
        return fail(
          `Sample ${index}: output "${name}" is off by ${percent(share)} of its range, at most ${percent(golden.tolerance)} is allowed.`,
        )
      }
    }
  }
  const samples = expected.length === 1 ? '1 sample is' : `${expected.length} samples are`
  const text = `${samples} answered as on the computer they came from, within ${percent(worst)} of the outputs' ranges (${percent(golden.tolerance)} allowed).`
  return { name: 'golden answers', passed: true, text }
}

/** Values an output had, over all samples. */
class OutputSpread {
  #low = Number.POSITIVE_INFINITY
  #high = Number.NEGATIVE_INFINITY

  widen(tensor: RuntimeTensor): void {
    for (let index = 0; index < tensor.values.length; index++) {
      const value = numberAt(tensor, index)
      if (typeof value !== 'number' || !Number.isFinite(value)) continue
      this.#low = Math.min(this.#low, value)
      this.#high = Math.max(this.#high, value)
    }
  }

  /** Largest difference as a share of the range; infinite where one is no number and the other is. */
  distance(expected: RuntimeTensor, found: RuntimeTensor): number {
    const range = outputSpan(this.#low, this.#high)
    let worst = 0
    for (let index = 0; index < expected.values.length; index++) {
      const [wanted, got] = [numberAt(expected, index), numberAt(found, index)]
      if (Object.is(wanted, got)) continue
      if (typeof wanted !== 'number' || typeof got !== 'number') return Number.POSITIVE_INFINITY
      const share = Math.abs(wanted - got) / range
      worst = Math.max(worst, Number.isNaN(share) ? Number.POSITIVE_INFINITY : share)
    }
    return worst
  }
}

function spreadOf(ranges: Map<string, OutputSpread>, name: string): OutputSpread {
  const known = ranges.get(name) ?? new OutputSpread()
  ranges.set(name, known)
  return known
}

function numberAt({ type, values }: RuntimeTensor, index: number): number | string {
  const value = values[index] as number | bigint | string
  if (typeof value === 'bigint') return Number(value)
  return type === 'float16' && typeof value === 'number' ? halfToFloat(value) : value
}

function formProblem(wanted: NamedTensors, got: NamedTensors): string | null {
  for (const [name, { type, dims }] of Object.entries(wanted)) {
    const found = got[name]
    if (!found) return `output "${name}" is missing`
    const [expectedForm, foundForm] = [`${type} [${dims.join(', ')}]`, `${found.type} [${found.dims.join(', ')}]`]
    if (expectedForm !== foundForm) return `output "${name}" is ${foundForm}, expected ${expectedForm}`
  }
  return null
}

/** @throws Error for a type or a length that cannot be */
function tensors(texts: readonly TensorText[]): NamedTensors {
  return Object.fromEntries(texts.map((text) => [text.name, tensorOf(text)]))
}

function tensorOf({ name, type, dims, values }: TensorText): RuntimeTensor {
  const elementType = type as ElementType
  return { type: elementType, dims, values: tensorFromBytes(elementType, decodeBase64(values), elementCount(dims), `golden "${name}"`) }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`
}
