import { dividedBy, minus, plus, scaled, sqrt, times } from './elementary.ts'
import type { Tape, Value } from './tape.ts'

// The values of the paper (Kingma and Ba 2015), which everybody uses.
const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

/** A parameter and its two moments before or after a step, all of the same shape. */
export interface AdamState {
  readonly parameter: Value
  /** Running mean of the gradient. */
  readonly moment: Value
  /** Running mean of the squared gradient. */
  readonly square: Value
}

/** The scalars of one step, made by {@link adamScalars}. */
export interface AdamStep {
  /** Learning rate with the corrections for moments that start at zero. */
  readonly stepSize: Value
  /** What the parameter is multiplied with: 1 − learning rate · weight decay. */
  readonly shrinkage: Value
}

/**
 * Writes one step of Adam (in the efficient form at the end of section 2 of the paper) with decoupled weight decay
 * (AdamW, Loshchilov and Hutter 2019): `parameter · shrinkage − stepSize · moment / (√square + ε)`.
 *
 * @param decays whether weight decay applies to this parameter
 */
export function adamUpdate(tape: Tape, state: AdamState, gradient: Value, step: AdamStep, decays: boolean): AdamState {
  const moment = plus(tape, scaled(tape, state.moment, BETA1), scaled(tape, gradient, 1 - BETA1))
  const square = plus(tape, scaled(tape, state.square, BETA2), scaled(tape, times(tape, gradient, gradient), 1 - BETA2))
  const direction = dividedBy(tape, moment, plus(tape, sqrt(tape, square), tape.constant(EPSILON)))
  const shrunk = decays ? times(tape, state.parameter, step.shrinkage) : state.parameter
  return { parameter: minus(tape, shrunk, times(tape, direction, step.stepSize)), moment, square }
}

/** The scalars of step number `step` (from 1). */
export function adamScalars(step: number, learningRate: number, weightDecay: number): { stepSize: number; shrinkage: number } {
  return {
    stepSize: (learningRate * Math.sqrt(1 - BETA2 ** step)) / (1 - BETA1 ** step),
    shrinkage: 1 - learningRate * weightDecay,
  }
}
