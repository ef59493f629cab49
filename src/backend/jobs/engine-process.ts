import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import {
  type EngineCommand,
  type EngineRequest,
  type EngineResult,
  engineMessageSchema,
  engineResultSchemas,
} from '../../contract/engine-protocol.ts'
import { EdgesmithError, type ErrorReport, fromErrorReport } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { cancelledError } from '../../platform/cancellation.ts'

export interface EngineOptions {
  readonly entry: string
  readonly reporter?: JobReporter
  readonly signal?: AbortSignal
  readonly onPid?: (pid: number | null) => void
  /** Resident memory at which the engine is ended; default 80 % of the machine's. */
  readonly memoryLimitBytes?: number
}

/** Time between asking an engine to end and killing it. */
const GRACE_MS = 1000
const MEMORY_CHECK_MS = 500
/** What is left to the system and the window when an engine grows. */
const MEMORY_SHARE = 0.8
/**
 * For glibc: give freed memory back to the system. By default it keeps blocks up to 32 MB once it has seen one freed, and the
 * weights of every session that was ever open stay resident (a 100 MB model: 600 MB instead of 306 while verifying).
 */
const GIVE_MEMORY_BACK = { MALLOC_TRIM_THRESHOLD_: '131072' } as const
/** Standard error kept for the message when an engine dies. */
const STDERR_TAIL = 4000

/**
 * Runs one command in an engine process of its own and answers its checked result. The process is gone when this settles.
 *
 * @throws EdgesmithError the engine's own error; `JOB_CANCELLED`; `MEMORY_LIMIT`; `ENGINE_DIED` with what it last said
 */
export async function runEngine<C extends EngineCommand>(
  request: Extract<EngineRequest, { command: C }>,
  options: EngineOptions,
): Promise<EngineResult<C>> {
  const { entry, reporter, signal, onPid } = options
  if (signal?.aborted) throw cancelledError()
  const child = fork(entry, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: ['--no-warnings', '--expose-gc', '--max-semi-space-size=1'],
    env: { ...process.env, ...GIVE_MEMORY_BACK },
  })
  onPid?.(child.pid ?? null)
  let lastWords = ''
  const keep = (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-STDERR_TAIL)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)

  let outcome: { value: unknown } | { error: ErrorReport } | undefined
  let overLimit: number | undefined
  const limit = options.memoryLimitBytes ?? totalmem() * MEMORY_SHARE
  const watchdog = setInterval(() => {
    const resident = child.pid === undefined ? 0 : residentBytes(child.pid)
    if (resident <= limit) return
    overLimit = resident
    child.kill('SIGKILL')
  }, MEMORY_CHECK_MS)
  const cancel = () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
  }
  signal?.addEventListener('abort', cancel, { once: true })

  try {
    const ended = new Promise<{ code: number | null; killedBy: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => resolve({ code, killedBy }))
    })
    child.on('message', (raw) => {
      const message = engineMessageSchema.parse(raw)
      if (message.type === 'progress') reporter?.progress(message.progress)
      else if (message.type === 'log') reporter?.log(message.text)
      else if (message.type === 'result') outcome = { value: message.value }
      else outcome = { error: message.error as ErrorReport }
    })
    child.send(request, (error) => {
      if (error) child.kill('SIGKILL')
    })
    const { code, killedBy } = await ended
    if (signal?.aborted) throw cancelledError()
    if (overLimit !== undefined) {
      throw new EdgesmithError('MEMORY_LIMIT', `The work needed more than ${Math.round(limit / 1e6)} MB of memory and was stopped`, {
        details: { limitBytes: limit, residentBytes: overLimit },
      })
    }
    if (outcome === undefined) {
      const how = killedBy ? `killed by ${killedBy}` : `exit code ${code}`
      throw new EdgesmithError('ENGINE_DIED', `The engine process ended before it had an answer (${how})`, {
        hint: 'Nothing half-made was kept. If it happens again, the model may crash ONNX Runtime: the log has its last words.',
        details: { lastWords: lastWords.trim() },
      })
    }
    if ('error' in outcome) throw fromErrorReport(outcome.error)
    return engineResultSchemas[request.command].parse(outcome.value) as EngineResult<C>
  } finally {
    clearInterval(watchdog)
    signal?.removeEventListener('abort', cancel)
    child.kill('SIGKILL')
    onPid?.(null)
  }
}

/** Resident memory of a process from /proc (second field of statm, in pages of 4096 bytes); 0 where it cannot be read. */
function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}
