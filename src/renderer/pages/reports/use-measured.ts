import { useCall } from '../../backend/use-call.ts'
import { type ReportChoice, reportChoices } from './report-choices.ts'

interface MeasuredChoices {
  /** Undefined while something is on its way. */
  readonly choices: readonly ReportChoice[] | undefined
  readonly error: unknown
}

/** Everything in the workspace that can go into a report. */
export function useMeasured(): MeasuredChoices {
  const comparisons = useCall('comparisons.list', {})
  const benchmarks = useCall('benchmarks.list', {})
  const evaluations = useCall('evaluations.list', {})
  const analyses = useCall('analyses.list', {})
  const matrices = useCall('matrices.list', {})
  const validations = useCall('validations.list', {})
  const models = useCall('models.list', {})
  const devices = useCall('devices.list', {})
  const error =
    [comparisons, benchmarks, evaluations, analyses, matrices, validations, models, devices].find((query) => query.isError)?.error ?? null
  if (
    !comparisons.data ||
    !benchmarks.data ||
    !evaluations.data ||
    !analyses.data ||
    !matrices.data ||
    !validations.data ||
    !models.data ||
    !devices.data
  )
    return { choices: undefined, error }
  return {
    choices: reportChoices({
      comparisons: comparisons.data,
      benchmarks: benchmarks.data,
      evaluations: evaluations.data,
      analyses: analyses.data,
      matrices: matrices.data,
      validations: validations.data,
      models: models.data,
      devices: devices.data,
    }),
    error,
  }
}
