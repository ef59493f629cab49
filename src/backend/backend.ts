import { resolve } from 'node:path'
import type { BackendEvent } from '../contract/backend-event.ts'
import { type Device, LOCAL_DEVICE_ID } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { type ProcedureInput, type ProcedureName, type ProcedureOutput, procedures } from '../contract/procedures.ts'
import { AnalysisRepository } from '../storage/analysis-repository.ts'
import { BlobStore } from '../storage/blob-store.ts'
import { openDatabase } from '../storage/database.ts'
import { DatasetRepository } from '../storage/dataset-repository.ts'
import { DeploymentRepository } from '../storage/deployment-repository.ts'
import { DeviceRepository } from '../storage/device-repository.ts'
import { JobRepository } from '../storage/job-repository.ts'
import { LeaseRepository } from '../storage/lease-repository.ts'
import { MatrixRepository } from '../storage/matrix-repository.ts'
import { MeasurementRepository } from '../storage/measurement-repository.ts'
import { ModelRepository } from '../storage/model-repository.ts'
import { ReportRepository } from '../storage/report-repository.ts'
import { ValidationRepository } from '../storage/validation-repository.ts'
import { DeviceLinks } from './devices/device-links.ts'
import { DeviceLog } from './devices/device-log.ts'
import { DeviceSessions, machineKey } from './devices/device-sessions.ts'
import { DeviceTelemetry } from './devices/device-telemetry.ts'
import { PortForwards } from './devices/port-forwards.ts'
import { Questions } from './devices/questions.ts'
import type { Handlers } from './handlers.ts'
import { markInterruptedJobs } from './jobs/interrupted-jobs.ts'
import { JobQueue } from './jobs/job-queue.ts'
import { watchOtherProcesses } from './jobs/other-processes.ts'
import { isProcessAlive, processIdentity } from './process-identity.ts'
import { findProgramLayout } from './program-layout.ts'
import type { SecretStore } from './secret-store.ts'
import type { Services } from './services.ts'
import { analysisHandlers } from './use-cases/analyses.ts'
import { compareHandlers } from './use-cases/compare.ts'
import { compareAllHandlers } from './use-cases/compare-all.ts'
import { datasetHandlers } from './use-cases/datasets.ts'
import { deploymentHandlers } from './use-cases/deployments.ts'
import { deviceHandlers } from './use-cases/devices.ts'
import { doctorHandlers } from './use-cases/doctor.ts'
import { evaluateHandlers } from './use-cases/evaluate.ts'
import { exportHandlers } from './use-cases/export.ts'
import { guidedHandlers } from './use-cases/guided-job.ts'
import { jobHandlers } from './use-cases/jobs.ts'
import { matrixHandlers } from './use-cases/matrix.ts'
import { measureHandlers } from './use-cases/measure.ts'
import { modelHandlers } from './use-cases/models.ts'
import { optimizeHandlers } from './use-cases/optimize.ts'
import { parityHandlers } from './use-cases/parity.ts'
import { predictionHandlers } from './use-cases/predictions.ts'
import { questionHandlers } from './use-cases/questions.ts'
import { reportHandlers } from './use-cases/report.ts'
import { runHandlers } from './use-cases/runs.ts'
import { sampleHandlers } from './use-cases/samples.ts'
import { sensitivityHandlers } from './use-cases/sensitivity.ts'
import { sweepHandlers } from './use-cases/sweep.ts'
import { validateHandlers } from './use-cases/validate.ts'
import { workspaceHandlers } from './use-cases/workspace.ts'

/** The use cases over one workspace. The window runs this in a process of its own, the command line in its own process. */
export interface Backend {
  /** Checks the input and runs the procedure. @throws EdgesmithError */
  call<N extends ProcedureName>(name: N, input: ProcedureInput<N>): Promise<ProcedureOutput<N>>
  /** Listens to changes; answers the function that stops listening. */
  onEvent(listener: (event: BackendEvent) => void): () => void
  /** Cancels own jobs, closes connections and the database. */
  close(): Promise<void>
}

export interface BackendOptions {
  /** Folder of the workspace; made when it does not exist. */
  readonly workspace: string
  readonly secrets: SecretStore
  /** Somebody answers questions of devices (`questions.list`); default: nobody, and a connection that needs an answer fails. */
  readonly answersQuestions?: boolean
  /** How long a job that measures on several devices waits for one whose connection broke; default 2 minutes: a board that reboots is back by then. */
  readonly linkPatienceMs?: number
  /** Which queue a device's work stands in; default: devices reached over loopback share this computer's processor. */
  readonly machineKey?: (device: Device) => string
}

/** Opens a workspace. @throws EdgesmithError `WORKSPACE_INVALID`, `FILE_NOT_WRITABLE`, `NO_SPACE` */
export async function openBackend(options: BackendOptions): Promise<Backend> {
  const workspace = resolve(options.workspace)
  const layout = findProgramLayout()
  const database = openDatabase(workspace)
  const listeners = new Set<(event: BackendEvent) => void>()
  const emit = (event: BackendEvent) => {
    for (const listener of listeners) listener(event)
  }

  const owner = processIdentity()
  const jobs = new JobRepository(database, owner)
  const devices = new DeviceRepository(database)
  const links = new DeviceLinks((link) => emit({ type: 'device-link', link }))
  const log = new DeviceLog()
  const questions = new Questions(options.secrets, options.answersQuestions ?? false, () => emit({ type: 'changed', what: 'questions' }))
  const sessions = new DeviceSessions({ workspace, layout, devices, secrets: options.secrets, links, log, questions })
  const queue = new JobQueue(jobs, new LeaseRepository(database, owner, isProcessAlive), emit)
  const services: Services = {
    workspace,
    layout,
    blobs: new BlobStore(workspace),
    models: new ModelRepository(database),
    datasets: new DatasetRepository(database),
    measurements: new MeasurementRepository(database),
    analyses: new AnalysisRepository(database),
    matrices: new MatrixRepository(database),
    reports: new ReportRepository(database),
    devices,
    deployments: new DeploymentRepository(database),
    validations: new ValidationRepository(database),
    jobs,
    queue,
    sessions,
    telemetry: new DeviceTelemetry(),
    forwards: new PortForwards(({ deviceId, text }) => {
      sessions.say(deviceId, text)
      // The address of a deployment on this computer changed.
      emit({ type: 'changed', what: 'deployments' })
      emit({ type: 'changed', what: 'devices' })
    }),
    questions,
    secrets: options.secrets,
    machineKey: options.machineKey ?? machineKey,
    linkPatienceMs: options.linkPatienceMs ?? 120_000,
    emit,
  }
  devices.ensureLocal(new Date().toISOString())
  if (devices.get(LOCAL_DEVICE_ID).report === null) {
    devices.setReport(LOCAL_DEVICE_ID, await (await services.sessions.open(LOCAL_DEVICE_ID)).probe())
  }
  markInterruptedJobs(jobs, layout.engineEntry)
  await services.blobs.sweepTemporary(Date.now())
  const stopWatching = watchOtherProcesses(database, jobs, layout.engineEntry, emit)

  const call: Backend['call'] = async (name, input) => {
    if (!Object.hasOwn(procedures, name)) throw new EdgesmithError('USAGE', `There is no procedure ${String(name).slice(0, 100)}`)
    const parsed = procedures[name].input.safeParse(input)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      throw new EdgesmithError('USAGE', `${name}: ${issue?.path.join('.') || 'input'}: ${issue?.message}`, {
        details: { issues: parsed.error.issues },
      })
    }
    const handler = handlers[name] as (input: unknown) => unknown
    return (await handler(parsed.data)) as never
  }
  const handlers: Handlers = {
    ...workspaceHandlers(services),
    ...sampleHandlers(services),
    ...modelHandlers(services),
    ...datasetHandlers(services),
    ...optimizeHandlers(services),
    ...measureHandlers(services),
    ...sweepHandlers(services),
    ...evaluateHandlers(services),
    ...compareHandlers(services),
    ...compareAllHandlers(services),
    ...analysisHandlers(services),
    ...parityHandlers(services),
    ...matrixHandlers(services),
    ...sensitivityHandlers(services),
    ...jobHandlers(services),
    ...deviceHandlers(services),
    ...questionHandlers(services),
    ...deploymentHandlers(services),
    ...exportHandlers(services),
    ...predictionHandlers(services),
    ...validateHandlers(services),
    ...runHandlers(services),
    ...reportHandlers(services),
    ...doctorHandlers(services),
    ...guidedHandlers(services, call),
  }
  return {
    call,
    onEvent(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      stopWatching()
      questions.close()
      services.telemetry.close()
      await queue.close()
      await services.sessions.close()
      database.close()
    },
  }
}
