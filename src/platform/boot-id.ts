import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'

/** The kernel's word for this start of the machine; empty on other systems than Linux. */
export function linuxBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** Differs from one start of the machine to the next. Systems without such a word get the moment they were started, to ten seconds. */
export async function readBootId(): Promise<string> {
  const word = process.platform === 'darwin' ? await sessionOfMac() : linuxBootId()
  return word || `boot-${Math.round((Date.now() / 1000 - uptime()) / 10)}`
}

function sessionOfMac(): Promise<string> {
  return new Promise((resolve) =>
    execFile('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], (error, stdout) => resolve(error ? '' : stdout.trim())),
  )
}
