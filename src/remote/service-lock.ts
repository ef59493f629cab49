import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { EdgesmithError } from '../contract/errors.ts'
import { isRunning } from './is-running.ts'
import type { LockHolder, ServicePlace } from './service-place.ts'
import { shownText } from './shown-text.ts'

/** Nothing that is done under the lock takes half as long; whoever held it lost its connection or its power. */
const staleSeconds = 600

/** Locks this process holds at the moment. */
const held = new Set<string>()

/**
 * Does something while no other computer and no other process changes the service. A lock whose holder died is taken over: one of
 * this computer as soon as its process is gone, any other after ten minutes.
 * @throws EdgesmithError DEVICE_BUSY, and what the work throws
 */
export async function withServiceLock<T>(place: ServicePlace, service: string, work: () => Promise<T>): Promise<T> {
  const owner = `${ownHostname()} ${process.pid} ${randomBytes(6).toString('hex')}`
  let holder = await place.lock(service, owner, null)
  if (holder && isDead(holder)) holder = await place.lock(service, owner, holder.owner)
  if (holder) {
    const host = holder.owner.split(' ')[0] || 'another computer'
    throw new EdgesmithError(
      'DEVICE_BUSY',
      `${service} on ${place.machine} is being changed by ${shownText(host, 60)} for ${holder.ageSeconds} s`,
      {
        hint: 'Try again in a moment.',
        details: { owner: holder.owner, ageSeconds: holder.ageSeconds },
      },
    )
  }
  held.add(owner)
  try {
    return await work()
  } finally {
    held.delete(owner)
    // With the connection gone the lock stays behind; the rule above takes care of it.
    await place.unlock(service, owner).catch(() => undefined)
  }
}

function isDead({ owner, ageSeconds }: LockHolder): boolean {
  // A clock that was set back makes ages negative.
  if (ageSeconds > staleSeconds || ageSeconds < -staleSeconds) return true
  const [host, pid] = owner.split(' ')
  if (host !== ownHostname() || !/^\d{1,10}$/.test(pid ?? '')) return false
  if (Number(pid) === process.pid) return !held.has(owner)
  return !isRunning(Number(pid))
}

/** As one word. */
function ownHostname(): string {
  return hostname().replace(/[^\w.-]+/g, '-') || 'unnamed'
}
