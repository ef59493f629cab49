import type { Dataset } from '../../../contract/dataset.ts'
import type { Target } from '../../../contract/names.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'

/** The compare-all dialog as it stands. */
interface CompareAllChoice {
  readonly modelId: string
  readonly target: Target | null
  readonly samples: number
  readonly calibration: string | null
  readonly labelled: string | null
  readonly deviceId: string
  /** Measurement settings that differ from the defaults; `blocks` among them. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** What `compareAll.start` is called with. */
export function compareAllInput(choice: CompareAllChoice): ProcedureInput<'compareAll.start'> {
  const { blocks, ...given } = choice.settings
  const settings = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return {
    modelId: choice.modelId,
    deviceId: choice.deviceId,
    settings,
    ...(choice.target ? { target: choice.target } : {}),
    ...(choice.calibration ? { calibrationId: choice.calibration, samples: choice.samples } : {}),
    ...(choice.labelled ? { datasetId: choice.labelled } : {}),
    ...(blocks === undefined ? {} : { blocks: blocks as number }),
  }
}

/** Words people name data for calibration with. */
const calibrationName = /calib|train/i

/**
 * What most would choose: for accuracy the largest labelled dataset that is not called calibration or training data, for calibration one
 * that is, or else any other dataset than the one for accuracy.
 */
export function suggestedDatasets(datasets: readonly Dataset[]): { calibrationId: string | null; labelledId: string | null } {
  const bySize = [...datasets].sort((a, b) => b.report.samples - a.report.samples)
  const labelled = bySize.filter(({ report }) => report.labelled)
  const test = labelled.find(({ name }) => !calibrationName.test(name)) ?? labelled[0]
  const calibration =
    bySize.find(({ id, name }) => id !== test?.id && calibrationName.test(name)) ?? bySize.find(({ id }) => id !== test?.id)
  return { calibrationId: calibration?.id ?? null, labelledId: test?.id ?? null }
}
