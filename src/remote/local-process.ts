import { spawn } from 'node:child_process'
import { cleanEnvironment } from '../platform/clean-environment.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'

/**
 * Starts a program whose standard input and output are pipes; ending us ends its standard input. Ctrl+C of a terminal does not reach it:
 * whether it ends, and how, is decided here.
 */
export function startProcess(program: string, args: readonly string[], cwd: string): RunningProcess {
  const detached = process.platform !== 'win32'
  const child = spawn(program, args, { cwd, env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true, detached })
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', () => resolve({ exitCode: 127, signal: null, connectionLost: false }))
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, connectionLost: false }))
  })
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended, abandon: () => void child.kill('SIGKILL') }
}
