import { randomUUID } from 'node:crypto'
import { preprocessingSchema } from '../../contract/dataset.ts'
import type { Deployed } from '../../contract/deployment.ts'
import { toErrorReport } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import type { DeviceSession } from '../../remote/device-session.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import { readyDevice } from '../devices/agent-work.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { type AccuracyGate, accuracyGate, checkAccuracy } from './accuracy-gate.ts'
import { calibrationDatasetOf } from './calibration-dataset.ts'
import { type ComposedRelease, composeRelease } from './compose-release.ts'
import { serviceNameFor } from './service-name.ts'
import { noteReport } from './service-reports.ts'
import { decideSettings, type MadeSecrets } from './service-settings.ts'

/** What `deploy.start` is given, with the name of the service decided. */
export type DeployOrder = ProcedureArguments<'deploy.start'> & { readonly service: string }

/** Longest name of a service. */
const NAME_LENGTH = 40

/** The name for a service nobody named: its model's, and a number more when another model is served under that name there. */
export function freeServiceName({ deployments }: Services, model: Model, deviceId: string): string {
  const wanted = serviceNameFor(model.name)
  for (let count = 1; ; count++) {
    const ending = count === 1 ? '' : `-${count}`
    const name = `${wanted.slice(0, NAME_LENGTH - ending.length).replace(/-+$/, '')}${ending}`
    const other = deployments.find(deviceId, name)
    if (other === undefined || other.modelId === model.id) return name
  }
}

/** Finds out before anything is queued what cannot work. @throws EdgesmithError `USAGE`, `NOT_FOUND` */
export function checkOrder(services: Services, model: Model, order: DeployOrder): AccuracyGate | null {
  const before = services.deployments.find(order.deviceId, order.service)
  decideSettings(before?.settings ?? null, order.settings, { service: order.service, port: order.port ?? null })
  if (order.datasetId) services.datasets.get(order.datasetId)
  if (order.maxAccuracyDrop === undefined) return null
  return accuracyGate(services, model, {
    datasetId: order.datasetId ?? undefined,
    maxDrop: order.maxAccuracyDrop,
    servedId: before?.modelId ?? null,
  })
}

/** A release that is served, and what was made for it that nobody can read again. */
interface BroughtRelease {
  readonly deployed: Omit<Deployed, 'localUrl'>
  readonly made: MadeSecrets
}

/** Composes a release, checks it and brings it to its device. */
export async function deployService(
  services: Services,
  model: Model,
  order: DeployOrder,
  gate: AccuracyGate | null,
  context: JobContext,
): Promise<BroughtRelease> {
  const { deviceId, service } = order
  const needed = gate === null ? { models: [model], datasets: [] } : { models: [model, gate.baseline], datasets: [gate.dataset] }
  const ready = await readyDevice(services, deviceId, needed, context)
  const checks = gate === null ? [] : [await checkAccuracy(services, ready, model, gate, deviceId, context)]
  context.progress({ phase: 'composing the release', done: 0, total: null, unit: '' })
  const before = services.deployments.find(deviceId, service)
  const { release, notes } = await compose(services, model, order, before, context)
  for (const note of notes) context.log(note)
  const decided = decideSettings(before?.settings ?? null, order.settings, { service, port: order.port ?? before?.port ?? null })
  const preprocessing = preprocessingSchema.parse(release.preprocessing)
  const brought = await ready.session.services
    .deploy(
      {
        settings: decided.settings,
        release,
        model: { sha256: model.sha256, sizeBytes: model.sizeBytes, path: services.blobs.path(model.sha256) },
        rollout: order.rollout,
        gate: order.gate,
        webhookSecret: decided.webhookSecret,
        supervise: order.supervise,
      },
      context,
      context.signal,
    )
    .catch(async (error: unknown) => {
      await keepFailed(services, model, order, { settings: decided.settings, preprocessing }, ready.session)
      throw error
    })
  const { port, report } = brought
  const isCurrent = report.versions.some(({ release: id, role }) => id === brought.release && role === 'current')
  const served = isCurrent || before === undefined ? { modelId: model.id, preprocessing, release: brought.release } : before
  const stored = services.deployments.put({
    id: before?.id ?? randomUUID(),
    service,
    deviceId,
    modelId: served.modelId,
    release: served.release,
    preprocessing: served.preprocessing,
    port,
    settings: { ...decided.settings, port },
    supervision: report.supervision,
    survivesReboot: report.survivesReboot,
    datasetId: order.datasetId === undefined ? (before?.datasetId ?? null) : order.datasetId,
    state: report.state,
    createdAt: new Date().toISOString(),
  })
  announce(services, 'deployments')
  return {
    deployed: {
      ...stored,
      // Of this release, also when another one serves beside it.
      modelId: model.id,
      model: model.name,
      release: brought.release,
      checks: [...checks, ...brought.checks],
      rebootNote: report.rebootNote,
      cancelledTooLate: context.signal.aborted,
    },
    made: decided.made,
  }
}

/** With the data that was chosen; otherwise with that of the release before it, or what the build was calibrated with, as far as it fits. */
async function compose(
  services: Services,
  model: Model,
  order: DeployOrder,
  before: StoredDeployment | undefined,
  context: JobContext,
): Promise<ComposedRelease> {
  const { preprocessing, datasetId, fields, embedding, threads, workers, deviceId } = order
  const choices = { preprocessing, fields, embedding, threads, workers, deviceId }
  if (datasetId === null) return composeRelease(services, model, choices, context)
  if (datasetId !== undefined) return composeRelease(services, model, { ...choices, datasetId }, context)
  const usual = services.datasets.list().find(({ id }) => id === before?.datasetId) ?? calibrationDatasetOf(services, model)
  if (usual === null) return composeRelease(services, model, choices, context)
  try {
    context.log(`Golden answers, drift and fields are taken from ${usual.name}.`)
    return await composeRelease(services, model, { ...choices, datasetId: usual.id }, context)
  } catch (error) {
    const { code, message } = toErrorReport(error)
    if (!code.startsWith('DATASET_')) throw error
    // Nobody asked for it: the model may take other inputs, or another dataset may have that name by now.
    context.log(`${usual.name} does not fit and is not used: ${message}`)
    return composeRelease(services, model, choices, context)
  }
}

/**
 * What a release that failed left on the device can be looked at and removed, also when it was the first one of its service. What tells nothing
 * goes at once.
 */
async function keepFailed(
  services: Services,
  model: Model,
  { deviceId, service }: DeployOrder,
  { settings, preprocessing }: Pick<StoredDeployment, 'settings' | 'preprocessing'>,
  session: DeviceSession,
): Promise<void> {
  const report = await session.services.report(service).catch(() => null)
  // The failure itself is told; without the device there is nothing to add.
  if (report === null) return
  const before = services.deployments.find(deviceId, service)
  if (before !== undefined) return noteReport(services, before.id, report)
  if (report.state === 'unknown') return
  // A first release that was not even checked (its port was taken, the job was cancelled) tells nothing.
  const serves = report.state === 'running' || report.state === 'stopped'
  if (!serves && report.versions.every(({ role }) => role === 'kept')) {
    await session.services.remove(service).catch(() => undefined)
    return
  }
  services.deployments.put({
    id: randomUUID(),
    service,
    deviceId,
    modelId: model.id,
    release: null,
    preprocessing,
    port: report.port ?? settings?.port ?? 0,
    settings,
    supervision: report.supervision,
    survivesReboot: report.survivesReboot,
    datasetId: null,
    state: report.state,
    createdAt: new Date().toISOString(),
  })
  announce(services, 'deployments')
}
