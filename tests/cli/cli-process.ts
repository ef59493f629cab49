import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { z } from 'zod'

const entry = fileURLToPath(new URL('../../src/cli/cli-entry.ts', import.meta.url))

/** How a command line ended. */
export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as the one JSON document it must be, checked by a schema. */
  json<T>(schema: z.ZodType<T>): T
}

/** A command line that runs. */
export interface CliProcess {
  readonly child: ChildProcess
  /** What it has written so far. */
  readonly written: { stdout: string; stderr: string }
  readonly ended: Promise<CliResult>
  /** Answers when the text has appeared. @throws Error when the process ends before */
  waitFor(stream: 'stdout' | 'stderr', text: string | RegExp): Promise<void>
}

export interface CliOptions {
  readonly workspace: string
  /** Folder it runs in. */
  readonly folder: string
  readonly environment?: NodeJS.ProcessEnv
  readonly input?: string
}

/** Starts `edgesmith` from source, as a process of its own, with nothing of the tester's settings. */
export function startCli(args: readonly string[], { workspace, folder, environment, input }: CliOptions): CliProcess {
  const child = spawn(process.execPath, [entry, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, EDGESMITH_WORKSPACE: workspace, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(input ?? '')
  const written = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk
      for (const watcher of watchers) watcher()
    })
  }
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      for (const watcher of watchers) watcher()
      resolve({ code, signal, ...written, json: (schema) => schema.parse(JSON.parse(written.stdout)) })
    })
  })
  const waitFor = (stream: 'stdout' | 'stderr', text: string | RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        const found = typeof text === 'string' ? written[stream].includes(text) : text.test(written[stream])
        if (!found && child.exitCode === null && child.signalCode === null) return
        watchers.delete(look)
        if (found) resolve()
        else reject(new Error(`ended without ${text}: ${written.stdout}\n${written.stderr}`))
      }
      watchers.add(look)
      look()
    })
  return { child, written, ended, waitFor }
}

/** Runs `edgesmith` to its end. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, options).ended
}
