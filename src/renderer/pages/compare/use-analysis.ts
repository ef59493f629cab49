import type { Analysis } from '../../../contract/analysis.ts'
import type { Job } from '../../../contract/job.ts'
import { startedWith } from '../../backend/started-jobs.ts'
import { useCall } from '../../backend/use-call.ts'
import { isActive, useJobs } from '../../backend/use-jobs.ts'
import type { AnalysedRow } from './analysed-row.ts'

/** The procedure that makes each kind of analysis. */
export const analysisProcedure = {
  layers: 'layers.start',
  accuracy: 'explainAccuracy.start',
  slowdown: 'explain.start',
} as const satisfies Record<AnalysedRow['kind'], string>

interface FoundAnalysis<K extends AnalysedRow['kind']> {
  /** The newest that is stored for the two models on the device. */
  readonly analysis: Extract<Analysis, { kind: K }> | undefined
  /** The job that makes one, or that failed to, when it is newer than what is stored. */
  readonly job: Job | undefined
  readonly isPending: boolean
  readonly error: Error | null
}

/** The stored analysis of a build beside its baseline, and the job that makes a new one. */
export function useAnalysis<K extends AnalysedRow['kind']>(
  kind: K,
  { modelId, baselineId, deviceId }: { readonly modelId: string; readonly baselineId: string; readonly deviceId: string },
): FoundAnalysis<K> {
  const list = useCall('analyses.list', { modelId, baselineId, kind })
  const { data: jobs } = useJobs()
  const stored = list.data?.find((found) => found.deviceId === deviceId)
  const whole = useCall('analyses.get', { id: stored?.id ?? '' }, { enabled: stored !== undefined })
  const analysis = whole.data?.kind === kind ? (whole.data as Extract<Analysis, { kind: K }>) : undefined
  const own = jobs?.find(({ id }) => {
    const started = startedWith(id, analysisProcedure[kind])
    return started?.modelId === modelId && started.baselineId === baselineId && started.deviceId === deviceId
  })
  const newer = own && (isActive(own) || !stored || own.createdAt > stored.createdAt)
  return {
    analysis,
    job: newer && own.state !== 'succeeded' ? own : undefined,
    isPending: list.isPending || (stored !== undefined && whole.isPending),
    error: list.error ?? whole.error,
  }
}
