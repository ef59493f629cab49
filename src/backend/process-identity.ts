import { linuxBootId } from '../platform/boot-id.ts'
import { isRunning, startTicksOf } from '../platform/processes.ts'

/**
 * Identity of a process that survives in the database: `boot:pid:start`. A pid alone is not enough: it is used again after
 * the process ended, and after a reboot. Boot id and start time come from /proc; elsewhere they stay empty.
 */
export function processIdentity(pid: number = process.pid): string {
  return `${linuxBootId()}:${pid}:${startTicksOf(pid)}`
}

/** True when the process with that identity still runs. */
export function isProcessAlive(identity: string): boolean {
  const pid = Number(identity.split(':')[1])
  if (!Number.isInteger(pid) || pid <= 0) return false
  return isRunning(pid) && processIdentity(pid) === identity
}
