import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/** Asking another program for a command line; it answers in milliseconds, PowerShell in seconds. */
const askTimeoutMs = 15_000
const pollMs = 50

/**
 * The command line of a process, with spaces between its arguments; empty when there is no such process (or it is a zombie, or, on Linux,
 * another user's, who may call his as he likes). Numbers of processes are given out again: only the command line tells whether it is still
 * the one that was meant.
 */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    const owner = (await stat(`/proc/${pid}`).catch(() => null))?.uid
    if (owner !== process.getuid?.()) return ''
    const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    return text.replaceAll('\0', ' ')
  }
  const [program, args] =
    process.platform === 'win32'
      ? ([
          'powershell.exe',
          ['-NoProfile', '-NonInteractive', '-Command', `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`],
        ] as const)
      : (['ps', ['-ww', '-o', 'command=', '-p', String(pid)]] as const)
  return new Promise((resolve) => {
    execFile(program, args, { timeout: askTimeoutMs, windowsHide: true }, (error, stdout) =>
      // Windows quotes words with spaces.
      resolve(error ? '' : stdout.trim().replaceAll('"', '')),
    )
  })
}

/** Resident memory of a process; null where that is not simply to be read. */
export async function residentBytesOf(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  return found ? Number(found[1]) * 1024 : null
}

/** Whether a process of this number exists, also one of another user. It may have been given to another program since. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** When a process was started, in ticks of the clock since boot: tells it from a later one of the same number. Empty where nobody says. */
export function startTicksOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22; the name before it may hold spaces and brackets. Source: proc_pid_stat(5).
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}

/** Sends a signal; a process that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Asks a process to end, waits, and kills it where it does not. `still` says whether the number still means that process. */
export async function endProcess(pid: number, still: () => Promise<boolean>, graceMs: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGTERM', graceMs],
    ['SIGKILL', 5000],
  ] as const) {
    if (!(await still())) return
    signalProcess(pid, signal)
    for (let waited = 0; waited < waitMs; waited += pollMs) {
      await delay(pollMs)
      if (!(await still())) return
    }
  }
}
