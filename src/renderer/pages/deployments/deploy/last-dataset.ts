import type { Job } from '../../../../contract/job.ts'
import type { ProcedureInput } from '../../../../contract/procedures.ts'

/**
 * The dataset this window last deployed a release of a service with, as the best guess for the next one: a version without it would have no
 * named values, and no reference for drift. Null where it is not known, or is not there any more.
 *
 * @param jobs newest first
 * @param inputOf what a job was started with, where this window started it
 */
export function lastDataset(
  jobs: readonly Pick<Job, 'id' | 'kind' | 'state'>[],
  inputOf: (jobId: string) => ProcedureInput<'deploy.start'> | undefined,
  place: { readonly deviceId: string; readonly service: string },
  datasetIds: readonly string[],
): string | null {
  for (const { id, kind, state } of jobs) {
    if (kind !== 'deploy.start' || state !== 'succeeded') continue
    const input = inputOf(id)
    if (input?.deviceId !== place.deviceId || input.service !== place.service) continue
    return input.datasetId !== undefined && datasetIds.includes(input.datasetId) ? input.datasetId : null
  }
  return null
}
