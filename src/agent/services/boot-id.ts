import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { uptime } from 'node:os'

/** Differs from one start of the machine to the next. Systems without such a word get the moment they were started, to ten seconds. */
export async function readBootId(): Promise<string> {
  const word = await (process.platform === 'darwin' ? sessionOfMac() : readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''))
  return word.trim() || `boot-${Math.round((Date.now() / 1000 - uptime()) / 10)}`
}

function sessionOfMac(): Promise<string> {
  return new Promise((resolve) =>
    execFile('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], (error, stdout) => resolve(error ? '' : stdout)),
  )
}
