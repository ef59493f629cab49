import { EdgesmithError } from '../../contract/errors.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'

/**
 * How far a result may be off, as a share of the tensor's largest value: what changing the order of float32 additions does in
 * deep networks. float16 has 11 bits.
 */
const TOLERANCE = { float32: 1e-5, float16: 2 ** -9 } as const

/**
 * Requires that a rewritten graph gives what the original gave.
 * @param tolerance for float32 and float64, a share of the tensor's largest value
 * @throws EdgesmithError `BUILD_VERIFICATION_FAILED` naming the output and the largest difference
 */
export function requireSameOutputs(expected: NamedTensors, found: NamedTensors, tolerance: number = TOLERANCE.float32): void {
  for (const [name, wanted] of Object.entries(expected)) {
    const actual = found[name]
    if (!actual || actual.type !== wanted.type || actual.dims.join() !== wanted.dims.join())
      throw different(name, `it is ${described(actual)} instead of ${described(wanted)}`)
    if (isText(wanted.values) || isText(actual.values)) {
      if (String(wanted.values) !== String(actual.values)) throw different(name, 'its texts differ')
      continue
    }
    const { apart, largest } = differenceOf(numbers(wanted), numbers(actual))
    const share = wanted.type === 'float16' ? Math.max(TOLERANCE.float16, tolerance) : tolerance
    const allowed = wanted.type.includes('float') ? share * Math.max(largest, Number.MIN_VALUE) : 0
    if (!(apart <= allowed)) throw different(name, `values differ by up to ${apart} (the largest value is ${largest})`)
  }
}

function isText(values: RuntimeTensor['values']): values is readonly string[] {
  return Array.isArray(values)
}

function numbers({ type, values }: RuntimeTensor): ArrayLike<number | bigint> {
  return type === 'float16' ? Float32Array.from(values as Uint16Array, halfToFloat) : (values as ArrayLike<number | bigint>)
}

/** Largest difference and largest finite value; NaN and infinities must be equal. */
function differenceOf(
  wanted: ArrayLike<number | bigint>,
  actual: ArrayLike<number | bigint>,
): { readonly apart: number; readonly largest: number } {
  let [apart, largest] = [0, 0]
  for (let index = 0; index < wanted.length; index++) {
    const [a, b] = [Number(wanted[index]), Number(actual[index])]
    if (Number.isFinite(a)) largest = Math.max(largest, Math.abs(a))
    if (wanted[index] === actual[index] || (Number.isNaN(a) && Number.isNaN(b))) continue
    const difference = Math.abs(a - b)
    apart = Number.isFinite(difference) ? Math.max(apart, difference) : Number.POSITIVE_INFINITY
  }
  return { apart, largest }
}

function described(tensor: RuntimeTensor | undefined): string {
  return tensor ? `${tensor.type}[${tensor.dims.join(',')}]` : 'missing'
}

function different(output: string, reason: string): EdgesmithError {
  return new EdgesmithError(
    'BUILD_VERIFICATION_FAILED',
    `Output ${quoteName(output)} of the rewritten model is not what the model gives: ${reason}.`,
    {
      hint: 'A model that draws random numbers cannot be compared; otherwise this is a case Edgesmith does not handle. Nothing was written.',
      details: { output: output.slice(0, 1000) },
    },
  )
}
