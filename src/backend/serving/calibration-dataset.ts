import type { Dataset } from '../../contract/dataset.ts'
import type { Model } from '../../contract/model.ts'
import { statedLineage } from '../report/document/stated-lineage.ts'
import type { Services } from '../services.ts'

/** The dataset of the workspace that a build says it was calibrated with; null when it does not say, or it is not there any more. */
export function calibrationDatasetOf({ datasets }: Services, { report }: Model): Dataset | null {
  const calibration = statedLineage(report.metadata)?.calibration
  return (calibration && datasets.list().find(({ name }) => name === calibration.dataset)) ?? null
}
