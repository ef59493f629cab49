import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { ProcessEnd, RunningProcess } from './running-process.ts'

/** Asking another program for a command line; it answers in milliseconds, PowerShell in seconds. */
const askTimeoutMs = 15_000

/** The environment for programs of ours: nothing in it may change what Node loads, and ONNX Runtime does not report to its maker. */
export function agentEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, ...environment } = process.env
  return { ...environment, ORT_DISABLE_TELEMETRY: '1' }
}

/**
 * Starts a program whose standard input and output are pipes; ending us ends its standard input. Ctrl+C of a terminal does not reach it:
 * whether it ends, and how, is decided here.
 */
export function startProcess(program: string, args: readonly string[], cwd: string): RunningProcess {
  const detached = process.platform !== 'win32'
  const child = spawn(program, args, { cwd, env: agentEnvironment(), stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true, detached })
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', () => resolve({ exitCode: 127, signal: null, connectionLost: false }))
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, connectionLost: false }))
  })
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, abandon: () => void child.kill('SIGKILL') }
}

/**
 * The command line of a process, with spaces between its arguments; empty when there is no such process (or it is a zombie).
 * Numbers of processes are given out again: only the command line tells whether it is still the one that was meant.
 */
export async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').then(
      (text) => text.replaceAll('\0', ' '),
      () => '',
    )
  }
  const [program, args] =
    process.platform === 'win32'
      ? ([
          'powershell.exe',
          ['-NoProfile', '-NonInteractive', '-Command', `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`],
        ] as const)
      : (['ps', ['-ww', '-o', 'command=', '-p', String(pid)]] as const)
  return new Promise((resolve) => {
    execFile(program, args, { timeout: askTimeoutMs, windowsHide: true }, (error, stdout) => resolve(error ? '' : stdout.trim()))
  })
}

/** Resident memory of a process; null where that is not simply to be read. */
export async function residentBytesOf(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  return found ? Number(found[1]) * 1024 : null
}

/** Sends a signal; a process that is gone is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
