import { randomUUID } from 'node:crypto'
import type { Dataset } from '../../contract/dataset.ts'
import type { Validation } from '../../contract/deployment.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { LoadResult } from '../../contract/load.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import type { ServiceReport } from '../../contract/service-protocol.ts'
import { untilAborted } from '../../platform/cancellation.ts'
import type { DeviceSession } from '../../remote/device-session.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { datasetSource } from '../use-cases/dataset-source.ts'
import { accuracyLimit, checkAccuracy, expectedEvaluation } from './accuracy-check.ts'
import { checkAnswers } from './answers-check.ts'
import { checkGolden } from './golden-check.ts'
import { latencyCheck, loadChecks, loadOf, noLoadChecks, QUIET_REQUESTS_PER_SECOND, QUIET_SECONDS } from './load-checks.ts'
import { checkRestart } from './restart-check.ts'
import { checkSchema } from './schema-check.ts'
import { ServiceClient } from './service-client.ts'
import { failed, failureOf, notChecked, type ValidationCheck } from './validation-check.ts'

export type ValidationOrder = ProcedureArguments<'validate.start'>

/** What a validation works with. */
interface Subject {
  readonly stored: StoredDeployment
  readonly report: ServiceReport
  readonly model: Model
  readonly dataset: Dataset | null
  readonly session: DeviceSession
  readonly client: ServiceClient
}

/**
 * Checks a service as it stands: what it answers, what its answers are worth, how fast they are, alone and under load, and whether it comes
 * back after a crash. A check that fails does not keep the others from being made.
 *
 * @throws EdgesmithError `SERVICE_NOT_RUNNING` for a service that is stopped or gone, `JOB_CANCELLED`, `CONNECTION_LOST`, `NOT_FOUND`
 */
export async function runValidation(services: Services, order: ValidationOrder, context: JobContext): Promise<Validation> {
  const subject = await open(services, order, context)
  const { stored, report, model } = subject
  const warnings = warningsOf(subject)
  const { checks, load, accuracy } = await runChecks(services, subject, order, context, warnings)
  return {
    id: randomUUID(),
    deploymentId: stored.id,
    service: report.service,
    deviceId: stored.deviceId,
    device: stored.device,
    modelId: model.id,
    model: model.name,
    createdAt: new Date().toISOString(),
    passed: checks.every(({ passed }) => passed !== false),
    checks,
    load,
    accuracy,
    warnings,
  }
}

async function open(services: Services, { deploymentId, datasetId }: ValidationOrder, context: JobContext): Promise<Subject> {
  const { deployments, models, datasets, sessions, forwards } = services
  const stored = deployments.get(deploymentId)
  const dataset = datasetId === undefined ? null : datasets.get(datasetId)
  context.progress({ phase: 'connecting', done: 0, total: null, unit: '' })
  const session = await untilAborted(sessions.open(stored.deviceId), context.signal)
  const report = await session.services.report(stored.service)
  if (report.state !== 'running') {
    throw new EdgesmithError(
      'SERVICE_NOT_RUNNING',
      `${stored.service} on ${stored.device} is ${report.state}: ${report.message ?? 'it does not serve'}`,
      {
        hint: 'Start it, then validate it.',
      },
    )
  }
  const token = await session.services.token(stored.service)
  const port = await forwards.open(stored.id, stored.deviceId, session, report.port ?? stored.port, `service ${stored.service}`)
  const current = report.versions.find(({ role }) => role === 'current')
  const model = models.list().find(({ sha256 }) => sha256 === current?.modelSha256) ?? models.get(stored.modelId)
  return { stored, report, model, dataset, session, client: new ServiceClient({ port, token }, context.signal) }
}

function warningsOf({ report, stored }: Subject): string[] {
  const beside = report.versions.filter(({ role }) => role === 'beside').length
  const current = report.versions.find(({ role }) => role === 'current')?.release
  return [
    ...(beside > 0 ? ['Other releases get some of the requests: the checks are of the service as a whole.'] : []),
    ...(current !== undefined && stored.release !== null && current !== stored.release
      ? [`Release ${current} serves, not ${stored.release}, which was deployed last.`]
      : []),
  ]
}

async function runChecks(
  services: Services,
  subject: Subject,
  order: ValidationOrder,
  context: JobContext,
  warnings: string[],
): Promise<Pick<Validation, 'checks' | 'load' | 'accuracy'>> {
  const { report, client, stored } = subject
  const phase = (text: string) => context.progress({ phase: text, done: 0, total: null, unit: '' })
  phase('answers')
  const answers = await checkAnswers(client, report.versions.find(({ role }) => role === 'current')?.release ?? null)
  phase('schema')
  const schema = await checkSchema(client)
  phase('golden answers')
  const golden = await goldenOf(services, subject, context)
  phase('accuracy')
  const { check: accuracyCheck, accuracy, bodies } = await accuracyOf(services, subject, order, context)
  const asked = bodies.length > 0 ? bodies : schema.bodies
  if (bodies.length === 0 && asked.length > 0) warnings.push('Requests of the load test are made up after the service’s schema.')
  const { checks: loaded, load } = await loadOn(subject, asked, order, context)
  phase('restart')
  const restart = order.restart
    ? await checkRestart(subject.session.services, stored.service, client, asked[0], context)
    : notChecked('restart', 'it was not asked for', 'answers again, and the same')
  return { checks: [answers, schema.check, golden, accuracyCheck, ...loaded, restart], load, accuracy }
}

/** What the service does to values before the model sees them decides which values are sent. */
function sourceFor({ blobs }: Services, { stored }: Subject, dataset: Dataset) {
  const raw = Object.keys(stored.preprocessing).length > 0
  const own = datasetSource(dataset, (sha256) => blobs.path(sha256))
  return { raw, source: raw ? { ...own, preprocessing: stored.preprocessing } : own }
}

function engine({ layout }: Services, context: JobContext) {
  return { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid: number | null) => context.enginePid(pid) }
}

async function goldenOf(services: Services, subject: Subject, context: JobContext): Promise<ValidationCheck> {
  const { model, dataset, client, stored } = subject
  const limit = 'what the model answers on this computer'
  try {
    const source = dataset && sourceFor(services, subject, dataset).source
    const { golden, notes } = await runEngine(
      { command: 'serving-facts', modelPath: services.blobs.path(model.sha256), source, threads: 1 },
      engine(services, context),
    )
    if (!golden) return notChecked('golden answers', notes[0] ?? 'the model gives none', limit)
    return await checkGolden(client, stored.service, golden, dataset ? 'data' : 'made up')
  } catch (error) {
    return failed('golden answers', failureOf(error), limit)
  }
}

async function accuracyOf(services: Services, subject: Subject, order: ValidationOrder, context: JobContext) {
  const { model, dataset, client, stored } = subject
  const { measurements, blobs } = services
  const limit = accuracyLimit(order.maxAccuracyDrop)
  if (!dataset) return { check: notChecked('accuracy', 'no dataset was given', limit), accuracy: null, bodies: [] }
  try {
    const { port, token } = client.address
    const answers = await runEngine(
      {
        command: 'service-answers',
        ...sourceFor(services, subject, dataset),
        modelPath: blobs.path(model.sha256),
        port,
        token,
        samples: order.samples,
      },
      engine(services, context),
    )
    const { bodies } = answers
    if (answers.task === null)
      return { check: notChecked('accuracy', answers.reason ?? 'the dataset has no labels', limit), accuracy: null, bodies }
    const held = services.machineKey(services.devices.get(stored.deviceId))
    const evaluation = await expectedEvaluation(services, model, dataset, stored.deviceId, held, context)
    const device = services.devices.list().find(({ id }) => id === evaluation.deviceId)?.name ?? 'a device that was removed'
    const where = { dataset: dataset.name, device, maxDrop: order.maxAccuracyDrop }
    return { ...checkAccuracy(answers, evaluation, measurements.evaluationArrays(evaluation.id), where), bodies }
  } catch (error) {
    return { check: failed('accuracy', failureOf(error), limit), accuracy: null, bodies: [] }
  }
}

/** Two loads made by the agent on the machine of the service, so that no link is in the latencies: one with room to spare, one as asked for. */
async function loadOn(
  { session, report, stored, client }: Subject,
  bodies: readonly string[],
  { requestsPerSecond, seconds, maxLatencyMs }: ValidationOrder,
  context: JobContext,
): Promise<Pick<Validation, 'checks' | 'load'>> {
  if (bodies.length === 0) {
    const reason = 'no request is known that the service answers; give a dataset'
    return {
      checks: [notChecked('latency', reason, `p95 at most ${maxLatencyMs} ms`), ...noLoadChecks(reason, requestsPerSecond)],
      load: null,
    }
  }
  const run = (order: { requestsPerSecond: number; seconds: number; arrivals: 'random' | 'even' }): Promise<LoadResult> => {
    const port = report.port ?? stored.port
    const { token } = client.address
    return session.runAgent({ command: 'load', port, token, path: '/predict', bodies: [...bodies], ...order }, context, context.signal)
  }
  const quiet = await run({ requestsPerSecond: QUIET_REQUESTS_PER_SECOND, seconds: QUIET_SECONDS, arrivals: 'even' })
  const found = await run({ requestsPerSecond, seconds, arrivals: 'random' })
  return {
    checks: [latencyCheck(quiet, maxLatencyMs), ...loadChecks(found, requestsPerSecond)],
    load: loadOf(found, { requestsPerSecond, seconds }),
  }
}
