import { quoteName } from '../onnx/quote-name.ts'
import type { OutputValues, Precision } from './machine-outputs.ts'
import type { ValueDifference } from './value-difference.ts'

/** An output with how far both machines are apart on it. */
export interface ComparedOutput extends ValueDifference {
  readonly output: OutputValues
}

export interface ParityVerdict {
  readonly verdict: 'identical' | 'within rounding' | 'different'
  /** Why, in one sentence. */
  readonly reason: string
}

/**
 * Signal to noise down to which a difference can be rounding alone, decibels, by the type a model computes in.
 *
 * float32: one rounding is 20·log10(2²⁴) = 144 dB down. Kernels add products in another order: the error of a sum of n products grows like
 * √n (33 dB for 2,000), and a hundred layers add up to 20 dB more. 144 − 54 = 90.
 * float16: one rounding is 66 dB down; some kernels keep sums in float16 too, others in float32. 66 − 26 = 40.
 * int8: the 256 steps themselves leave 6.02·8 + 4.77 − 12 = 41 dB of a signal whose largest value is four times its root mean square
 * (Bennett 1948). Machines further apart than that differ by more than quantization has cost already.
 */
export const ROUNDING_DB: Readonly<Record<Precision, number>> = { float32: 90, float16: 40, int8: 40 }

/** Dequantizing rounds: one step of a grid may come out this much larger. */
const STEP_TOLERANCE = 1.001

/**
 * identical: every value is the same. within rounding: every output is above {@link ROUNDING_DB}, or at most one step of its 8-bit grid
 * away; whole numbers (classes, indices) are equal; and every sample gets the same class. different: anything else.
 *
 * @param top1Agreement share of samples with the same class, null where there are no classes
 */
export function parityVerdict(outputs: readonly ComparedOutput[], precision: Precision, top1Agreement: number | null): ParityVerdict {
  const apart = outputs.filter(({ kind }) => kind !== 'same')
  if (apart.length === 0) return { verdict: 'identical', reason: 'Every value of every output is the same on both machines.' }
  for (const compared of apart) {
    const problem = beyondRounding(compared, precision)
    if (problem !== null) return { verdict: 'different', reason: problem }
  }
  if (top1Agreement !== null && top1Agreement < 1)
    return { verdict: 'different', reason: 'Outputs are as close as rounding explains, but some samples get another class.' }
  const bound = `${ROUNDING_DB[precision]} dB of signal to noise that rounding in ${precision} explains`
  return { verdict: 'within rounding', reason: `Every output is above the ${bound}, or at most one step of its 8-bit grid away.` }
}

function beyondRounding({ output, kind, sqnrDb, maxAbsDiff }: ComparedOutput, precision: Precision): string | null {
  const name = `Output ${quoteName(output.name)}`
  if (kind === 'misfit') return `${name} has another number of values on each machine.`
  if (kind === 'broken') return `${name} holds values that are finite on one machine and not on the other.`
  if (output.step !== null && (maxAbsDiff ?? 0) <= STEP_TOLERANCE * output.step) return null
  if (isWhole(output.type) && output.step === null) return `${name} holds whole numbers, and some are not the same.`
  const least = ROUNDING_DB[precision]
  if (sqnrDb !== null && sqnrDb >= least) return null
  return `${name} has a signal to noise of ${sqnrDb?.toFixed(1)} dB; rounding in ${precision} explains ${least} dB and more.`
}

function isWhole(type: string): boolean {
  return /^u?int\d+$|^bool$/.test(type)
}
