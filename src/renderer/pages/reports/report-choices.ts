import type { AnalysisEntry } from '../../../contract/analysis.ts'
import type { Validation } from '../../../contract/deployment.ts'
import type { Device } from '../../../contract/device.ts'
import type { Evaluation } from '../../../contract/evaluation.ts'
import type { Matrix } from '../../../contract/matrix.ts'
import type { Benchmark, Comparison } from '../../../contract/measurement.ts'
import type { Model } from '../../../contract/model.ts'
import { formatMs } from '../../format/durations.ts'
import { formatSignificant } from '../../format/numbers.ts'
import { formatDecibels, formatPercent } from '../../format/shares.ts'
import { matrixTitle } from '../benchmarks/matrix-title.ts'

export type ChoiceKind = 'comparison' | 'benchmark' | 'evaluation' | 'analysis' | 'matrix' | 'validation'

/** Something that was measured and can go into a report. */
export interface ReportChoice {
  readonly kind: ChoiceKind
  readonly id: string
  readonly title: string
  /** What tells it from others of that title: result, machine. */
  readonly note: string
  readonly createdAt: string
}

/** Everything that was measured in a workspace. */
export interface Measured {
  readonly comparisons: readonly Comparison[]
  readonly benchmarks: readonly Benchmark[]
  readonly evaluations: readonly Evaluation[]
  readonly analyses: readonly AnalysisEntry[]
  readonly matrices: readonly Matrix[]
  readonly validations: readonly Validation[]
  readonly models: readonly Pick<Model, 'id' | 'name'>[]
  readonly devices: readonly Pick<Device, 'id' | 'name'>[]
}

/** What the contract takes of each kind. */
export const choiceLimits: Readonly<Record<ChoiceKind, number>> = {
  comparison: 50,
  benchmark: 200,
  evaluation: 200,
  analysis: 50,
  matrix: 50,
  validation: 50,
}

/** What can be put into a report, newest first. Runs and evaluations of a comparison or matrix are left out: they come with it. */
export function reportChoices(measured: Measured): ReportChoice[] {
  const { comparisons, benchmarks, evaluations, analyses, matrices, validations, models, devices } = measured
  const inMatrix = new Set(matrices.flatMap(({ cells }) => cells.flatMap(({ benchmarkId, evaluationId }) => [benchmarkId, evaluationId])))
  const modelNames = new Map(models.map(({ id, name }) => [id, name]))
  const deviceNames = new Map(devices.map(({ id, name }) => [id, name]))
  const model = (id: string) => modelNames.get(id) ?? 'a removed model'
  const device = (id: string) => deviceNames.get(id) ?? 'a removed device'
  const choices: ReportChoice[] = [
    ...comparisons.map(({ id, baseline, rows, device: name, createdAt }) => ({
      kind: 'comparison' as const,
      id,
      title: `${baseline} and ${rows.length - 1}`,
      note: name,
      createdAt,
    })),
    ...matrices.map((matrix) => ({
      kind: 'matrix' as const,
      id: matrix.id,
      title: matrixTitle(matrix),
      note: matrix.devices.map(({ name }) => name).join(', '),
      createdAt: matrix.createdAt,
    })),
    ...benchmarks
      .filter(({ id, comparisonId }) => comparisonId === null && !inMatrix.has(id))
      .map(({ id, modelId, deviceId, settings, latencyMs, createdAt }) => ({
        kind: 'benchmark' as const,
        id,
        title: model(modelId),
        note: `${settings.scenario}, p50 ${formatMs(latencyMs.p50)}, ${device(deviceId)}`,
        createdAt,
      })),
    ...evaluations
      .filter(({ id, comparisonId }) => comparisonId === null && !inMatrix.has(id))
      .map(({ id, modelId, datasetName, deviceId, metrics, createdAt }) => ({
        kind: 'evaluation' as const,
        id,
        title: `${model(modelId)} on ${datasetName}`,
        note: [headline(metrics), device(deviceId)].filter(Boolean).join(', '),
        createdAt,
      })),
    ...analyses.map((analysis) => ({
      kind: 'analysis' as const,
      id: analysis.id,
      title: analysis.baselineId ? `${model(analysis.modelId)} beside ${model(analysis.baselineId)}` : model(analysis.modelId),
      note: `${analysisNames[analysis.kind]}, ${device(analysis.deviceId)}`,
      createdAt: analysis.createdAt,
    })),
    ...validations.map(({ id, service, model: name, device: where, passed, createdAt }) => ({
      kind: 'validation' as const,
      id,
      title: `${service} with ${name}`,
      note: `${passed ? 'passed' : 'not passed'}, ${where}`,
      createdAt,
    })),
  ]
  return choices.sort((a, b) => b.createdAt.localeCompare(a.createdAt))
}

const analysisNames: Readonly<Record<AnalysisEntry['kind'], string>> = {
  profile: 'profile',
  layers: 'layer by layer',
  slowdown: 'why it is slower',
  accuracy: 'why it is less accurate',
  parity: 'parity with this computer',
}

function headline({ accuracy, r2, rmse, sqnrDb }: Evaluation['metrics']): string {
  if (accuracy !== undefined) return `accuracy ${formatPercent(accuracy)}`
  if (r2 !== undefined && r2 !== null) return `R² ${formatSignificant(r2)}`
  if (rmse !== undefined) return `RMSE ${formatSignificant(rmse)}`
  return sqnrDb === undefined ? '' : `SQNR ${formatDecibels(sqnrDb)}`
}

/** Choices whose kind, title or note holds every word of the filter. */
export function filterChoices(choices: readonly ReportChoice[], filter: string): ReportChoice[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  return choices.filter(({ kind, title, note }) => {
    const text = `${kind} ${title} ${note}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}

/** The ids of what was chosen, as `report.write` takes them. */
export function chosenIds(chosen: readonly ReportChoice[]): {
  comparisonIds: string[]
  benchmarkIds: string[]
  evaluationIds: string[]
  analysisIds: string[]
  matrixIds: string[]
  validationIds: string[]
} {
  const of = (kind: ChoiceKind) => chosen.filter((choice) => choice.kind === kind).map(({ id }) => id)
  return {
    comparisonIds: of('comparison'),
    benchmarkIds: of('benchmark'),
    evaluationIds: of('evaluation'),
    analysisIds: of('analysis'),
    matrixIds: of('matrix'),
    validationIds: of('validation'),
  }
}
