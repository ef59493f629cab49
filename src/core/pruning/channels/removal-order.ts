import { choleskyFactor, inverseCholeskyFactor } from '../../linear-algebra/cholesky.ts'

/**
 * What a consumer of channels loses: its inputs' second moments and its weights. The loss of removing rows S and making the best of the others is
 * tr(W_Sᵀ ((H⁻¹)_SS)⁻¹ W_S) (optimal brain surgeon: Hassibi & Stork 1993, in blocks as in Frantar & Alistarh 2022).
 */
export interface RemovalProblem {
  readonly inputs: number
  readonly outputs: number
  /** Second moments of the inputs around their mean, damped, [inputs, inputs]; `undefined` without samples: all inputs count the same. */
  readonly moments: Float64Array | undefined
  /** [inputs, outputs] */
  readonly weights: Float64Array
  /** 1 ÷ the size of its output: losses of different layers are compared. */
  readonly scale: number
  /** Rows of each class, by class name. */
  readonly rows: ReadonlyMap<number, readonly number[]>
}

/** Classes in the order in which they go, with the loss once all up to there are gone. */
export interface RemovalOrder {
  readonly classes: readonly number[]
  readonly losses: readonly number[]
}

/** Multiplications above which the order is found without updates: with them, a few hundred million take a second. */
const MAX_UPDATE_WORK = 2e9

/**
 * Orders the classes of a group so that what is missed least goes first. With moments, and where that is affordable, weights of the remaining
 * rows are re-fitted after every removal (greedy optimal brain surgeon); otherwise classes are taken for independent.
 *
 * @param most classes to remove at most
 */
export function removalOrder(classes: readonly number[], problems: readonly RemovalProblem[], most: number): RemovalOrder {
  const work = problems.reduce((sum, { inputs, outputs }) => sum + inputs ** 3 + inputs * inputs * outputs, 0)
  if (problems.length === 0 || work > MAX_UPDATE_WORK) return independentOrder(classes, problems, most)
  const states: (SurgeonState | undefined)[] = problems.map((problem) => SurgeonState.of(problem))
  if (states.some((state) => !state)) return independentOrder(classes, problems, most)
  const left = new Set(classes)
  const order: number[] = []
  const losses: number[] = []
  let loss = 0
  while (order.length < most && left.size > 0) {
    let best: { name: number; cost: number } | undefined
    for (const name of left) {
      let cost = 0
      for (const state of states) cost += state!.cost(name)
      if (!best || cost < best.cost) best = { name, cost }
    }
    const { name, cost } = best!
    for (const state of states) state!.remove(name)
    left.delete(name)
    loss += cost
    order.push(name)
    losses.push(loss)
  }
  return { classes: order, losses }
}

/** Each class for itself: tr(W_cᵀ H_cc W_c). */
function independentOrder(classes: readonly number[], problems: readonly RemovalProblem[], most: number): RemovalOrder {
  const costs = classes.map((name) => ({ name, cost: problems.reduce((sum, problem) => sum + plainCost(problem, name), 0) }))
  costs.sort((a, b) => a.cost - b.cost || a.name - b.name)
  let loss = 0
  const taken = costs.slice(0, most)
  return { classes: taken.map(({ name }) => name), losses: taken.map(({ cost }) => (loss += cost)) }
}

function plainCost({ rows, weights, moments, inputs, outputs, scale }: RemovalProblem, name: number): number {
  const own = rows.get(name) ?? []
  let sum = 0
  for (const a of own)
    for (const b of moments ? own : [a]) {
      let dot = 0
      for (let column = 0; column < outputs; column++) dot += weights[a * outputs + column]! * weights[b * outputs + column]!
      sum += dot * (moments ? moments[a * inputs + b]! : 1)
    }
  return Math.max(0, sum) * scale
}

/** Inverse moments and weights of one consumer while classes are removed. */
class SurgeonState {
  private readonly problem: RemovalProblem
  private readonly inverse: Float64Array
  private readonly weights: Float64Array

  private constructor(problem: RemovalProblem, inverse: Float64Array) {
    this.problem = problem
    this.inverse = inverse
    this.weights = problem.weights.slice()
  }

  static of(problem: RemovalProblem): SurgeonState | undefined {
    const inverse = invert(problem.moments, problem.inputs)
    return inverse && new SurgeonState(problem, inverse)
  }

  cost(name: number): number {
    const rows = this.problem.rows.get(name)
    const factor = rows && this.blockFactor(rows)
    if (!rows || !factor) return 0
    const { outputs, scale } = this.problem
    const size = rows.length
    // UᵀU = block, so tr(Wᵀ (UᵀU)⁻¹ W) = ‖U⁻ᵀ W‖².
    let sum = 0
    const column = new Float64Array(size)
    for (let at = 0; at < outputs; at++)
      for (let i = 0; i < size; i++) {
        let value = this.weights[rows[i]! * outputs + at]!
        for (let j = 0; j < i; j++) value -= factor[j * size + i]! * column[j]!
        column[i] = value / factor[i * size + i]!
        sum += column[i]! ** 2
      }
    return sum * scale
  }

  /** W −= H⁻¹[:, c] (H⁻¹_cc)⁻¹ W_c and H⁻¹ −= H⁻¹[:, c] (H⁻¹_cc)⁻¹ H⁻¹[c, :] */
  remove(name: number): void {
    const rows = this.problem.rows.get(name)
    if (!rows) return
    const { inputs, outputs } = this.problem
    // One row after the other is the same as all at once.
    for (const row of rows) {
      const pivot = this.inverse[row * inputs + row]!
      if (!(pivot > 0)) continue
      const line = this.inverse.slice(row * inputs, (row + 1) * inputs)
      const weights = this.weights.slice(row * outputs, (row + 1) * outputs)
      for (let i = 0; i < inputs; i++) {
        const factor = line[i]! / pivot
        if (factor === 0) continue
        for (let column = 0; column < outputs; column++)
          this.weights[i * outputs + column] = this.weights[i * outputs + column]! - factor * weights[column]!
        const start = i * inputs
        for (let j = 0; j < inputs; j++) this.inverse[start + j] = this.inverse[start + j]! - factor * line[j]!
      }
      // Exactly zero from here on, whatever rounding left.
      this.inverse.fill(0, row * inputs, (row + 1) * inputs)
      for (let i = 0; i < inputs; i++) this.inverse[i * inputs + row] = 0
      this.weights.fill(0, row * outputs, (row + 1) * outputs)
    }
  }

  private blockFactor(rows: readonly number[]): Float64Array | undefined {
    const { inputs } = this.problem
    const block = new Float64Array(rows.length ** 2)
    for (const [i, a] of rows.entries()) for (const [j, b] of rows.entries()) block[i * rows.length + j] = this.inverse[a * inputs + b]!
    return choleskyFactor(block, rows.length)
  }
}

/** The inverse of a symmetric positive definite matrix; the identity without one. */
function invert(matrix: Float64Array | undefined, size: number): Float64Array | undefined {
  const inverse = new Float64Array(size * size)
  if (!matrix) {
    for (let index = 0; index < size; index++) inverse[index * (size + 1)] = 1
    return inverse
  }
  const factor = inverseCholeskyFactor(matrix, size)
  if (!factor) return undefined
  for (let k = 0; k < size; k++)
    for (let i = k; i < size; i++) {
      const left = factor[k * size + i]!
      if (left === 0) continue
      for (let j = i; j < size; j++) inverse[i * size + j] = inverse[i * size + j]! + left * factor[k * size + j]!
    }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) inverse[i * size + j] = inverse[j * size + i]!
  return inverse
}
