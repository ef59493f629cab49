import type { BackendEvent } from '../contract/procedures.ts'
import type { AnalysisRepository } from '../storage/analysis-repository.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import type { DatasetRepository } from '../storage/dataset-repository.ts'
import type { DeploymentRepository } from '../storage/deployment-repository.ts'
import type { DeviceRepository } from '../storage/device-repository.ts'
import type { JobRepository } from '../storage/job-repository.ts'
import type { MeasurementRepository } from '../storage/measurement-repository.ts'
import type { ModelRepository } from '../storage/model-repository.ts'
import type { ReportRepository } from '../storage/report-repository.ts'
import type { DeviceSessions } from './devices/device-sessions.ts'
import type { JobQueue } from './jobs/job-queue.ts'
import type { ProgramLayout } from './program-layout.ts'
import type { SecretStore } from './secret-store.ts'

/** What use cases work with: made once by `openBackend`, passed to each group of handlers. */
export interface Services {
  readonly workspace: string
  readonly layout: ProgramLayout
  readonly blobs: BlobStore
  readonly models: ModelRepository
  readonly datasets: DatasetRepository
  readonly measurements: MeasurementRepository
  readonly analyses: AnalysisRepository
  readonly reports: ReportRepository
  readonly devices: DeviceRepository
  readonly deployments: DeploymentRepository
  readonly jobs: JobRepository
  readonly queue: JobQueue
  readonly sessions: DeviceSessions
  readonly secrets: SecretStore
  readonly emit: (event: BackendEvent) => void
}

/** Tells listeners that rows of that kind changed. */
export function announce(services: Services, what: Extract<BackendEvent, { type: 'changed' }>['what']): void {
  services.emit({ type: 'changed', what })
}
