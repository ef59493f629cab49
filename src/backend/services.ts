import type { BackendEvent } from '../contract/backend-event.ts'
import type { Device } from '../contract/device.ts'
import type { AnalysisRepository } from '../storage/analysis-repository.ts'
import type { BlobStore } from '../storage/blob-store.ts'
import type { DatasetRepository } from '../storage/dataset-repository.ts'
import type { DeploymentRepository } from '../storage/deployment-repository.ts'
import type { DeviceRepository } from '../storage/device-repository.ts'
import type { JobRepository } from '../storage/job-repository.ts'
import type { MatrixRepository } from '../storage/matrix-repository.ts'
import type { MeasurementRepository } from '../storage/measurement-repository.ts'
import type { ModelRepository } from '../storage/model-repository.ts'
import type { ReportRepository } from '../storage/report-repository.ts'
import type { ValidationRepository } from '../storage/validation-repository.ts'
import type { DeviceSessions } from './devices/device-sessions.ts'
import type { DeviceTelemetry } from './devices/device-telemetry.ts'
import type { PortForwards } from './devices/port-forwards.ts'
import type { Questions } from './devices/questions.ts'
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
  readonly matrices: MatrixRepository
  readonly reports: ReportRepository
  readonly devices: DeviceRepository
  readonly deployments: DeploymentRepository
  readonly validations: ValidationRepository
  readonly jobs: JobRepository
  readonly queue: JobQueue
  readonly sessions: DeviceSessions
  readonly telemetry: DeviceTelemetry
  readonly forwards: PortForwards
  readonly questions: Questions
  readonly secrets: SecretStore
  /** How long a job that measures on several devices waits for one whose connection broke. */
  readonly linkPatienceMs: number
  /** Which queue a device's work stands in: one for each processor. */
  readonly machineKey: (device: Device) => string
  readonly emit: (event: BackendEvent) => void
}

/** Tells listeners that rows of that kind changed. */
export function announce(services: Services, what: Extract<BackendEvent, { type: 'changed' }>['what']): void {
  services.emit({ type: 'changed', what })
}
