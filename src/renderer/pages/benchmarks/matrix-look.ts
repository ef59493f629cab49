import type { Matrix, MatrixCell } from '../../../contract/matrix.ts'
import { type SpeedRatio, speedAgainstFirst } from '../../../core/comparison/speed-against-first.ts'

/** Cells by their latency, or by their speed against the first build on the same device. */
export type MatrixMode = 'ms' | 'relative'

/** How a cell is coloured: which way, and how strongly, 0 to 1. */
export interface CellShade {
  readonly tone: 'time' | 'faster' | 'slower' | 'none'
  readonly strength: number
}

/** A ratio of four is coloured as strongly as any larger one. */
const STRONGEST_RATIO = 4

/** The cell of a build on a device. */
export function cellAt({ cells }: Matrix, modelId: string, deviceId: string): MatrixCell | undefined {
  return cells.find((cell) => cell.modelId === modelId && cell.deviceId === deviceId)
}

/** Its speed against the first build there; null for the first build and where something was not measured. */
export function speedOf(matrix: Matrix, cell: MatrixCell): SpeedRatio | null {
  return speedAgainstFirst(cell, matrix.cells, matrix.models[0]?.id ?? '')
}

/**
 * Colour of a cell. By latency: darker is slower, on a logarithmic scale over the whole matrix. By speed: green is faster, red slower, and
 * nothing where the interval of the ratio includes 1.
 */
export function shadeOf(matrix: Matrix, cell: MatrixCell | undefined, mode: MatrixMode): CellShade {
  const none: CellShade = { tone: 'none', strength: 0 }
  if (!cell || cell.p50Ms === null || cell.p50Ms <= 0) return none
  if (mode === 'ms') {
    const known = matrix.cells.flatMap(({ p50Ms }) => (p50Ms !== null && p50Ms > 0 ? [Math.log(p50Ms)] : []))
    const [low, high] = [Math.min(...known), Math.max(...known)]
    return { tone: 'time', strength: high > low ? (Math.log(cell.p50Ms) - low) / (high - low) : 0 }
  }
  const speed = speedOf(matrix, cell)
  if (!speed || isUndecided(speed)) return none
  const strength = Math.min(1, Math.abs(Math.log(speed.ratio)) / Math.log(STRONGEST_RATIO))
  return { tone: speed.ratio > 1 ? 'faster' : 'slower', strength }
}

/** Builds that failed on a device for the same reason. */
export interface MatrixFailure {
  readonly deviceId: string
  readonly modelIds: readonly string[]
  readonly error: NonNullable<MatrixCell['error']>
}

/** What failed, device by device: a device that cannot be reached is told once. */
export function failuresOf({ cells }: Pick<Matrix, 'cells'>): MatrixFailure[] {
  const failures: (MatrixFailure & { readonly modelIds: string[] })[] = []
  for (const { deviceId, modelId, error } of cells) {
    if (!error) continue
    const known = failures.find((failure) => failure.deviceId === deviceId && failure.error.message === error.message)
    if (known) known.modelIds.push(modelId)
    else failures.push({ deviceId, modelIds: [modelId], error })
  }
  return failures
}

/** Whether the ratio may as well be 1. */
export function isUndecided({ interval }: SpeedRatio): boolean {
  return interval === null || (interval[0] <= 1 && interval[1] >= 1)
}
