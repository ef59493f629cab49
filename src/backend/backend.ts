import { resolve } from 'node:path'
import { LOCAL_DEVICE_ID } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { type BackendEvent, type ProcedureInput, type ProcedureName, type ProcedureOutput, procedures } from '../contract/procedures.ts'
import { AnalysisRepository } from '../storage/analysis-repository.ts'
import { BlobStore } from '../storage/blob-store.ts'
import { openDatabase } from '../storage/database.ts'
import { DatasetRepository } from '../storage/dataset-repository.ts'
import { DeploymentRepository } from '../storage/deployment-repository.ts'
import { DeviceRepository } from '../storage/device-repository.ts'
import { JobRepository } from '../storage/job-repository.ts'
import { LeaseRepository } from '../storage/lease-repository.ts'
import { MeasurementRepository } from '../storage/measurement-repository.ts'
import { ModelRepository } from '../storage/model-repository.ts'
import { ReportRepository } from '../storage/report-repository.ts'
import { DeviceSessions } from './devices/device-sessions.ts'
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
import { guidedHandlers } from './use-cases/guided-job.ts'
import { jobHandlers } from './use-cases/jobs.ts'
import { measureHandlers } from './use-cases/measure.ts'
import { modelHandlers } from './use-cases/models.ts'
import { optimizeHandlers } from './use-cases/optimize.ts'
import { reportHandlers } from './use-cases/report.ts'
import { runHandlers } from './use-cases/runs.ts'
import { sampleHandlers } from './use-cases/samples.ts'
import { sensitivityHandlers } from './use-cases/sensitivity.ts'
import { sweepHandlers } from './use-cases/sweep.ts'
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
  const queue = new JobQueue(jobs, new LeaseRepository(database, owner, isProcessAlive), emit)
  const services: Services = {
    workspace,
    layout,
    blobs: new BlobStore(workspace),
    models: new ModelRepository(database),
    datasets: new DatasetRepository(database),
    measurements: new MeasurementRepository(database),
    analyses: new AnalysisRepository(database),
    reports: new ReportRepository(database),
    devices,
    deployments: new DeploymentRepository(database),
    jobs,
    queue,
    sessions: new DeviceSessions(workspace, layout, devices, options.secrets),
    secrets: options.secrets,
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
    ...sensitivityHandlers(services),
    ...jobHandlers(services),
    ...deviceHandlers(services),
    ...deploymentHandlers(services),
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
      await queue.close()
      await services.sessions.close()
      database.close()
    },
  }
}
