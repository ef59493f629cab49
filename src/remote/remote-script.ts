import { type Readable, Transform } from 'node:stream'
import { EdgesmithError } from '../contract/errors.ts'
import { cancelledError, throwIfCancelled } from '../platform/cancellation.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'

/** Ends the script on standard input; what follows is for the script itself to read. */
const endOfScript = '__EDGESMITH_END_OF_SCRIPT__'
/** First line of our own output: what log-in scripts printed before it is not part of the answer. */
const startOfAnswer = '__EDGESMITH_START_OF_ANSWER__'
/** A message of the day is a few kB. */
const longestGreeting = 65_536
/** Far above any answer of ours (a log of 5,000 lines); a stranger's endless output ends here. */
const defaultMaxOutputBytes = 16 * 1024 * 1024
const defaultTimeoutMs = 30_000

/**
 * The one command line ever sent. It reads the script from standard input up to the end mark, byte by byte as `read` does on a pipe, so that
 * what follows is left for the script. Thus no value is in a command line that other users of the device can see, and the
 * log-in shell sees one constant that bash, dash, busybox, zsh, fish and csh read alike: single quotes, no newline, no `!`.
 */
const loader = `exec sh -c 'n=$(printf "\\nx"); n=\${n%x}; s=; while IFS= read -r l; do case $l in ${endOfScript}) break;; esac; s=$s$l$n; done; eval "$s"'`

/**
 * Fixed start of every script: plain tools, private files, and our mark. ONNX Runtime's own builds for Linux keep a device identifier in
 * ~/.cache and report to their maker unless they are told not to: nothing of the kind happens on a device of ours.
 */
const prelude = `LC_ALL=C; ORT_DISABLE_TELEMETRY=1; export LC_ALL ORT_DISABLE_TELEMETRY; unset NODE_OPTIONS NODE_PATH; umask 077
printf '%s\\n' '${startOfAnswer}'
`

/** A POSIX sh script that is running on a device; its standard output starts after our mark. */
export interface RunningScript extends RunningProcess {
  /** Whether the script ever began: no POSIX shell, no log-in allowed, or a log-in script that ended the session otherwise. */
  started(): boolean
  /** What was printed instead of our mark. */
  greeting(): string
}

/**
 * Starts a script. `body` is fixed text into which values were put by `shellQuote`.
 * @throws EdgesmithError CONNECTION_LOST, DEVICE_COMMAND_FAILED
 */
export async function startScript(connection: SshChannels, body: string, urgent = false): Promise<RunningScript> {
  if (body.includes(endOfScript)) throw new Error('a script cannot hold its own end mark')
  const process = await connection.exec(loader, urgent)
  process.stdin.write(`${prelude}${body}\n${endOfScript}\n`)
  const answer = new AnswerStart()
  return { ...process, stdout: process.stdout.pipe(answer), started: () => answer.started, greeting: () => answer.greeting }
}

/** Drops everything up to the mark. */
class AnswerStart extends Transform {
  started = false
  #held = Buffer.alloc(0)

  get greeting(): string {
    return shownText(this.#held.toString('utf8'))
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null, rest?: Buffer) => void): void {
    done(null, this.started ? chunk : this.#search(chunk))
  }

  /** Empty as long as the mark did not come. */
  #search(chunk: Buffer): Buffer {
    if (this.#held.length > longestGreeting) return Buffer.alloc(0)
    this.#held = Buffer.concat([this.#held, chunk])
    const mark = `${startOfAnswer}\n`
    const at = this.#held.indexOf(mark)
    if (at < 0) return Buffer.alloc(0)
    this.started = true
    return this.#held.subarray(at + mark.length)
  }
}

/** What a script that ended left. */
export interface ScriptResult {
  readonly end: ProcessEnd
  readonly stdout: string
  readonly stderr: string
}

export interface ScriptOptions {
  /** Written to the script's standard input, which then ends. */
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly maxOutputBytes?: number
  readonly signal?: AbortSignal | undefined
  /** See {@link SshChannels.exec}. */
  readonly urgent?: boolean
}

/**
 * Runs a script to its end and answers its output, whatever its exit code.
 * @throws EdgesmithError CONNECTION_LOST; DEVICE_UNSUPPORTED (no POSIX shell answers); DEVICE_COMMAND_FAILED (too slow);
 *   DEVICE_PROTOCOL (too much output); JOB_CANCELLED
 */
export async function runScript(connection: SshChannels, body: string, options: ScriptOptions = {}): Promise<ScriptResult> {
  const { timeoutMs = defaultTimeoutMs, maxOutputBytes = defaultMaxOutputBytes, signal } = options
  throwIfCancelled(signal)
  const script = await startScript(connection, body, options.urgent)
  // Left open otherwise: a channel whose input has ended takes no signals.
  if (options.stdin !== undefined) script.stdin.end(options.stdin)
  let failure: EdgesmithError | null = null
  const stop = (error: EdgesmithError) => {
    failure ??= error
    script.abandon()
  }
  const tooMuch = () => stop(new EdgesmithError('DEVICE_PROTOCOL', `${connection.place} answered more than ${maxOutputBytes} bytes`))
  const timer = setTimeout(
    () =>
      stop(
        new EdgesmithError('DEVICE_COMMAND_FAILED', `${connection.place} did not finish within ${timeoutMs / 1000} s`, {
          hint: 'Is the device very busy, or its storage failing?',
        }),
      ),
    timeoutMs,
  )
  const cancel = () => stop(cancelledError())
  signal?.addEventListener('abort', cancel, { once: true })
  // The start may have waited for a broken link.
  if (signal?.aborted) cancel()
  try {
    const stdout = gather(script.stdout, maxOutputBytes, tooMuch)
    const stderr = gather(script.stderr, maxOutputBytes, tooMuch)
    const end = await script.ended
    if (failure) throw failure
    if (end.connectionLost) throw connection.lost()
    if (!script.started()) throw noShell(connection, script, shownText(await stderr))
    return { end, stdout: await stdout, stderr: await stderr }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', cancel)
  }
}

/** The error for a device on which our scripts do not run. */
export function noShell(connection: SshChannels, script: RunningScript, stderr: string): EdgesmithError {
  const said = stderr || script.greeting()
  return new EdgesmithError(
    'DEVICE_UNSUPPORTED',
    `${connection.place} runs no POSIX shell for this user${said ? `; it said: ${said}` : ''}`,
    {
      hint: 'Edgesmith needs Linux and a user who may log in (not nologin, not sftp-only).',
    },
  )
}

async function gather(stream: Readable, limit: number, tooMuch: () => void): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) tooMuch()
    else parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
