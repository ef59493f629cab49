import { readFileSync } from 'node:fs'

/**
 * Identity of a process that survives in the database: `boot:pid:start`. A pid alone is not enough: it is used again after
 * the process ended, and after a reboot. Boot id and start time come from /proc; elsewhere they stay empty.
 */
export function processIdentity(pid: number = process.pid): string {
  return `${bootId()}:${pid}:${startTime(pid)}`
}

/** True when the process with that identity still runs. */
export function isProcessAlive(identity: string): boolean {
  const pid = Number(identity.split(':')[1])
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return processIdentity(pid) === identity
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Start time in clock ticks since boot: field 22 of /proc/PID/stat (proc(5)); the command in parentheses may hold spaces. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
