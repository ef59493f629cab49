import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { EdgesmithError, type ErrorReport, errorCatalogue, fromErrorReport } from '../contract/errors.ts'
import type { ServiceConfigFile } from '../contract/service.ts'
import { parseJson } from '../core/parse-json.ts'
import type { BenchmarkPrograms, ServerUnderTest } from '../engine/measure/scenario.ts'
import { sha256OfFile } from '../platform/file-hash.ts'

/** Lines of the server's log that say how far it is. */
const startLineSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('loaded'), loadMs: z.number(), firstRunMs: z.number(), idleRssBytes: z.number() }),
  z.object({ event: z.literal('started'), port: z.number() }),
  z.object({ event: z.literal('failed'), code: z.string(), message: z.string(), hint: z.string().optional() }),
])
type StartLine = z.infer<typeof startLineSchema>

/** Last lines of a server that died, for the error. */
const LAST_LINES = 5

/** A benchmark's helpers are this program again: its file knows a thread's command and `serve`. */
export const benchPrograms: BenchmarkPrograms = {
  startStream: (options) => new Worker(programFile(), { ...options, argv: ['stream'] }),
  startTelemetry: (options) => new Worker(programFile(), { ...options, argv: ['telemetry'] }),
  startServer,
}

function programFile(): string {
  const file = process.argv[1]
  if (file === undefined) throw new Error('the program does not know its file')
  return file
}

/**
 * Starts `serve` on a free port, with everything it needs in a folder of its own. It ends with this process, however that ends: it watches
 * its standard input, and an ordinary end kills it.
 *
 * @throws EdgesmithError what the server says when it cannot start, `ENGINE_DIED` when it ends without a word, `JOB_CANCELLED`
 */
async function startServer(modelPath: string, threads: number, signal: AbortSignal): Promise<ServerUnderTest> {
  const modelSha256 = await sha256OfFile(modelPath)
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-server-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.on('exit', remove)
  const token = randomBytes(24).toString('hex')
  const configPath = join(folder, 'service.json')
  const config: ServiceConfigFile = {
    service: 'benchmark',
    modelName: 'benchmark',
    modelPath,
    modelSha256,
    version: 'benchmark',
    host: '127.0.0.1',
    port: 0,
    tokenPath: join(folder, 'token'),
    statePath: join(folder, 'state.json'),
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    threads,
  }
  let server: ServerProcess | undefined
  const cancel = () => server?.fail(new EdgesmithError('JOB_CANCELLED', 'The measurement was cancelled.'))
  signal.addEventListener('abort', cancel, { once: true })
  try {
    await writeFile(config.tokenPath, token, { mode: 0o600 })
    await writeFile(configPath, JSON.stringify(config), { mode: 0o600 })
    const started = new ServerProcess(configPath)
    server = started
    if (signal.aborted) cancel()
    const { loadMs, firstRunMs, idleRssBytes } = await started.said('loaded')
    const { port } = await started.said('started')
    return { port, token, loadMs, firstInferenceMs: firstRunMs, idleRssBytes, failed: started.failed, stop: () => started.kill() }
  } catch (error) {
    await server?.kill()
    throw error
  } finally {
    signal.removeEventListener('abort', cancel)
    // Once it has started it has read everything: removed now, nothing stays behind however this process ends.
    process.off('exit', remove)
    remove()
  }
}

/** `serve` as a child process, and what it has said. */
class ServerProcess {
  /** Rejects when it ends by itself, or with what {@link fail} was given. */
  readonly failed: Promise<never>
  readonly #child: ChildProcess
  readonly #closed: Promise<void>
  readonly #killNow = () => void this.#child.kill('SIGKILL')
  #fail!: (error: Error) => void
  #hear: (line: StartLine) => void = () => {}
  readonly #heard = new Map<StartLine['event'], StartLine>()
  readonly #lastLines: string[] = []

  constructor(configPath: string) {
    this.failed = new Promise<never>((_, reject) => {
      this.#fail = reject
    })
    // Whoever waits for something else sees it there.
    this.failed.catch(() => {})
    const { execPath, execArgv } = process
    this.#child = spawn(execPath, [...execArgv, programFile(), 'serve', configPath, '--attached'], { stdio: 'pipe', windowsHide: true })
    process.on('exit', this.#killNow)
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()))
    this.#child.once('error', (error) => this.fail(new EdgesmithError('ENGINE_DIED', `The REST server did not start: ${error.message}`)))
    this.#child.stdin?.on('error', () => {})
    for (const output of [this.#child.stdout, this.#child.stderr]) {
      if (output) createInterface({ input: output }).on('line', (line) => this.#read(line))
    }
    void this.#closed.then(() => {
      process.off('exit', this.#killNow)
      this.fail(this.#death())
    })
  }

  /** The first call decides what {@link failed} rejects with. */
  fail(error: Error): void {
    this.#fail(error)
  }

  /** Settles with the line of that event, now or when it comes. */
  async said<E extends StartLine['event']>(event: E): Promise<Extract<StartLine, { event: E }>> {
    const line = new Promise<StartLine>((resolve) => {
      const known = this.#heard.get(event)
      if (known) resolve(known)
      this.#hear = (heard) => {
        if (heard.event === event) resolve(heard)
      }
    })
    return (await Promise.race([line, this.failed])) as Extract<StartLine, { event: E }>
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  #read(text: string): void {
    this.#lastLines.push(text.slice(0, 1000))
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift()
    const line = startLineSchema.safeParse(parseJson(text))
    if (!line.success) return
    this.#heard.set(line.data.event, line.data)
    if (line.data.event === 'failed') this.fail(reported(line.data))
    this.#hear(line.data)
  }

  #death(): EdgesmithError {
    const { exitCode, signalCode } = this.#child
    return new EdgesmithError('ENGINE_DIED', `The REST server ended (${signalCode ?? `exit code ${exitCode}`}) while it was measured.`, {
      hint: signalCode === 'SIGKILL' ? 'Was it killed for using too much memory? dmesg tells.' : undefined,
      details: { said: this.#lastLines },
    })
  }
}

function reported({ code, message, hint }: Extract<StartLine, { event: 'failed' }>): Error {
  return fromErrorReport({ code: (Object.hasOwn(errorCatalogue, code) ? code : 'INTERNAL') as ErrorReport['code'], message, hint })
}
