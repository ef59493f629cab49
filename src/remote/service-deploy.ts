import { randomBytes } from 'node:crypto'
import { type ServiceConfig, serviceConfigSchema } from '../contract/agent-protocol.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { cancelled, throwIfCancelled } from './cancellation.ts'
import type { DeployedService, ServiceRelease } from './device-session.ts'
import { failedStart, portTaken } from './service-failure.ts'
import { currentRelease, type ServiceGround, sweepStrays } from './service-ground.ts'
import { waitUntilHealthy } from './service-health.ts'
import { failureLogLines, type ServicePlace, type ServiceView, type StartOutcome } from './service-place.ts'

/**
 * Puts a release in the place of the one before it; the caller holds the lock. The old one serves until the new one is healthy,
 * or comes back when it is not; a release that failed leaves nothing but its log in the error.
 * @param modelPath absolute path on the machine
 * @param runtime absolute path of the agent's folder there
 * @throws EdgesmithError DEPLOY_FAILED (details.log), PORT_TAKEN, JOB_CANCELLED, CONNECTION_LOST
 */
export async function replaceRelease(
  ground: ServiceGround,
  release: ServiceRelease,
  modelPath: string,
  runtime: string,
  reporter: JobReporter,
  signal: AbortSignal | undefined,
): Promise<DeployedService> {
  const { place } = ground
  const { service } = release
  const step = (phase: string, done: number) => reporter.progress({ phase, done, total: 3, unit: 'steps' })
  const before = await sweepStrays(place, service)
  const current = currentRelease(before)
  const old = current?.pid == null ? null : current
  const samePort = old !== null && release.port !== null && release.port === old.state?.port
  if (release.port !== null && !samePort && (await ground.answers(release.port))) throw portTaken(release.port, place.machine)
  throwIfCancelled(signal)

  step('starting the service', 0)
  const name = releaseName()
  const config = configOf(place, release, name, modelPath)
  await place.write(service, name, { config: toText(config), runtime, token: newToken() })
  // Both cannot listen on one port: the old one has to go first, and comes back if need be.
  const insteadOf = samePort ? (old?.release ?? null) : null
  const outcome = await startCancellable(place, service, name, insteadOf, signal)
  if (outcome.state === null) {
    await discard(place, service, name, before)
    if (signal?.aborted) throw cancelled()
    throw failedStart(service, release.port, place.machine, outcome, old !== null && (insteadOf === null || outcome.restored))
  }

  step('waiting for it to answer', 1)
  const { port, pid } = outcome.state
  try {
    await waitUntilHealthy(ground, service, port, (await place.readToken(service)) ?? '', signal)
    // A restart comes back on the same port: clients know it.
    if (config.port !== port) await place.write(service, name, { config: toText({ ...config, port }), runtime, token: '' })
    if (insteadOf === null) await place.setCurrent(service, name)
  } catch (error) {
    const log = await place.readLog(service, name, failureLogLines).catch(() => '')
    await rollBack(place, service, name, insteadOf, before)
    if (!(error instanceof EdgesmithError) || error.code !== 'DEPLOY_FAILED') throw error
    throw new EdgesmithError('DEPLOY_FAILED', error.message, { hint: error.hint, details: { ...error.details, log } })
  }
  // From here on the new one serves, whatever happens to the old one.
  step('tidying up', 2)
  if (old !== null && insteadOf === null) await place.stop(service, [old.release], false)
  await place.prune(service, [name, ...(before?.current ? [before.current] : [])])
  step('serving', 3)
  return { service, port, pid }
}

/** Starts a release; aborting ends it while it starts. */
async function startCancellable(
  place: ServicePlace,
  service: string,
  name: string,
  insteadOf: string | null,
  signal: AbortSignal | undefined,
): Promise<StartOutcome> {
  const cancel = () => void place.stop(service, [name], false).catch(() => undefined)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    return await place.start(service, name, insteadOf)
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

async function rollBack(
  place: ServicePlace,
  service: string,
  name: string,
  insteadOf: string | null,
  before: ServiceView | null,
): Promise<void> {
  if (insteadOf === null) await place.stop(service, [name], false)
  else await place.start(service, insteadOf, name)
  await discard(place, service, name, before)
}

/** Removes a release that failed; the service too, when it was its first. */
async function discard(place: ServicePlace, service: string, name: string, before: ServiceView | null): Promise<void> {
  const others = before?.releases.map(({ release }) => release).filter((release) => release !== name) ?? []
  if (others.length > 0) await place.prune(service, others)
  else await place.remove(service)
}

function configOf(place: ServicePlace, release: ServiceRelease, name: string, modelPath: string): ServiceConfig {
  const { model, port, threads, ...said } = release
  return serviceConfigSchema.parse({
    ...said,
    ...place.paths(release.service, name),
    modelPath,
    modelSha256: model.sha256,
    host: '127.0.0.1',
    port: port ?? 0,
    threads: threads ?? 1,
  })
}

/** Sorts by time, and no two are equal. */
function releaseName(): string {
  return `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`
}

function newToken(): string {
  return randomBytes(32).toString('hex')
}

function toText(config: ServiceConfig): string {
  return `${JSON.stringify(config, null, 1)}\n`
}
