import { setTimeout as delay } from 'node:timers/promises'
import { EdgesmithError } from '../contract/errors.ts'
import { throwIfCancelled } from './cancellation.ts'
import type { ServiceGround } from './service-ground.ts'
import { getFromService } from './service-request.ts'
import { healthOf } from './service-status.ts'

/** From listening to the first healthy answer; the model is loaded by then, so this is generous. */
const healthTimeoutMs = 30_000
const healthPauseMs = 100
/** One answer; the first one of a busy board may take seconds. */
export const requestTimeoutMs = 5000

/**
 * Asks a service that listens until it says that it is healthy.
 * @throws EdgesmithError DEPLOY_FAILED when it ends, refuses, or takes too long; DEVICE_COMMAND_FAILED when no port can be forwarded; JOB_CANCELLED
 */
export async function waitUntilHealthy(
  ground: ServiceGround,
  service: string,
  port: number,
  token: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfCancelled(signal)
  // Also says so when the machine forwards no ports, which would look like silence later.
  await ground.answers(port)
  const tunnel = await ground.tunnel(port)
  const until = performance.now() + healthTimeoutMs
  let last = 'no answer'
  try {
    do {
      throwIfCancelled(signal)
      try {
        const answer = await getFromService(tunnel.port, '/health', token, requestTimeoutMs)
        const { healthy, found } = healthOf(answer, service)
        if (healthy) return
        last = found
        // It refuses its own token: waiting changes nothing.
        if (answer.status >= 400 && answer.status < 500) break
      } catch (error) {
        last = (error as Error).message
      }
      const view = await ground.place.look(service)
      if (!view?.releases.some(({ pid, state }) => pid !== null && state?.port === port)) {
        last = 'it ended'
        break
      }
      await delay(healthPauseMs)
    } while (performance.now() < until)
  } finally {
    tunnel.close()
  }
  throw new EdgesmithError('DEPLOY_FAILED', `${service} on ${ground.place.machine} did not become healthy: ${last}`, {
    hint: 'The log that comes with this error has its last words. The version before it, if there was one, serves on.',
  })
}
