import {
  AGENT_PROTOCOL_VERSION,
  type AgentCommand,
  type AgentMessage,
  type AgentRequest,
  type AgentResult,
  agentMessageSchema,
  agentResultSchemas,
} from '../contract/agent-protocol.ts'
import { decodeWire, encodeWire, WIRE_LINE_LIMIT } from '../contract/agent-wire.ts'
import { EdgesmithError, type ErrorReport, errorCatalogue, fromErrorReport } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { cancelledError, throwIfCancelled } from '../platform/cancellation.ts'
import { LineTooLong, readLines } from './read-lines.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'
import { shownText } from './shown-text.ts'
import { within } from './within.ts'

/** The agent gets this long to notice that its standard input ended; a running inference cannot be interrupted sooner. */
const cancelGraceMs = 2000
/** After its last word, or after being killed, it ends at once; one that does not is given up. */
const endGraceMs = 5000
/** Lines of standard error that go into the job's log; a stranger's endless chatter stops there. */
const mostLogLines = 5000
const longestLogLine = 2000
const longestLogLineBytes = 1 << 20
/** Last words of a process that died, for the error. */
const lastWords = 15
/** Standard error of a process that ended is read to its end by then. */
const lastWordsGraceMs = 500
const largestDetails = 20_000

/** How to deal with an agent process that was started for one request. */
export interface AgentHost {
  /** Names the machine in messages. */
  readonly place: string
  /** Ends the process for sure, if it is still the agent. */
  kill(pid: number): Promise<void>
  /** The error when the connection to it broke. */
  lost(): EdgesmithError
}

/**
 * Has an agent process carry out one request: writes it, passes progress and log on, checks everything that comes back, answers the result.
 * Aborting closes its standard input, and kills it after a grace time; it is gone when the promise settles.
 * @throws EdgesmithError JOB_CANCELLED, CONNECTION_LOST, ENGINE_DIED (ended without an answer), DEVICE_PROTOCOL, or what the agent reports
 */
export async function driveAgent<C extends AgentCommand>(
  agent: RunningProcess,
  request: Extract<AgentRequest, { command: C }>,
  host: AgentHost,
  reporter: JobReporter,
  signal?: AbortSignal,
): Promise<AgentResult<C>> {
  const run = new AgentRun(agent, host, reporter)
  const cancel = () => void run.cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    throwIfCancelled(signal)
    agent.stdin.write(`${encodeWire(request)}\n`)
    const value = await run.result(signal)
    const checked = agentResultSchemas[request.command].safeParse(value)
    if (!checked.success) {
      const [issue] = checked.error.issues
      throw protocolError(host.place, `a result whose field "${issue?.path.join('.')}" is wrong: ${issue?.message}`)
    }
    await run.finish(endGraceMs)
    return checked.data as AgentResult<C>
  } finally {
    signal?.removeEventListener('abort', cancel)
    // Reached with a running agent only after something went wrong: a cancelled one has its grace, any other none.
    await run.finish(signal?.aborted ? cancelGraceMs : 0)
  }
}

function protocolError(place: string, what: string): EdgesmithError {
  return new EdgesmithError('DEVICE_PROTOCOL', `The agent on ${place} sent ${shownText(what, 500)}`, {
    hint: 'The agent there may be of another version. Prepare the device again.',
  })
}

class AgentRun {
  readonly #agent: RunningProcess
  readonly #host: AgentHost
  readonly #reporter: JobReporter
  readonly #errorLines: Promise<readonly string[]>
  #pid: number | null = null
  #over = false

  constructor(agent: RunningProcess, host: AgentHost, reporter: JobReporter) {
    this.#agent = agent
    this.#host = host
    this.#reporter = reporter
    this.#errorLines = this.#passOnErrors()
    // Writing to an agent that is gone: how it ended says more.
    agent.stdin.on('error', () => undefined)
  }

  /** Reads messages up to the answer. */
  async result(signal: AbortSignal | undefined): Promise<unknown> {
    try {
      for await (const line of readLines(this.#agent.stdout, WIRE_LINE_LIMIT)) {
        const message = this.#read(line)
        if (message.type === 'result') return message.value
        if (message.type === 'error') throw signal?.aborted ? cancelledError() : asError(message.error)
        this.#passOn(message)
      }
    } catch (error) {
      if (error instanceof LineTooLong) throw protocolError(this.#host.place, error.message)
      // A connection that breaks may also break off a line, which is then not JSON.
      if (!(error instanceof EdgesmithError && error.code === 'DEVICE_PROTOCOL')) throw error
      if (signal?.aborted) throw cancelledError()
      const end = await within(this.#agent.ended, 100, null)
      throw end?.connectionLost ? this.#host.lost() : error
    }
    const end = await this.#agent.ended
    if (signal?.aborted) throw cancelledError()
    throw end.connectionLost ? this.#host.lost() : await this.#died(end)
  }

  /** Asks the agent to stop, and sees to it that it does. */
  async cancel(): Promise<void> {
    this.#agent.stdin.end()
    await this.#endedWithin(cancelGraceMs)
    await this.#kill()
  }

  /** Leaves no process behind, and nothing unsaid. */
  async finish(graceMs: number): Promise<void> {
    this.#agent.stdout.resume()
    this.#agent.stdin.end()
    await this.#endedWithin(graceMs)
    await this.#kill()
    await within(this.#errorLines, lastWordsGraceMs, [])
    this.#over = true
  }

  async #kill(): Promise<void> {
    if (await this.#endedWithin(0)) return
    if (this.#pid !== null) await this.#host.kill(this.#pid).catch(() => undefined)
    if (await this.#endedWithin(endGraceMs)) return
    this.#agent.abandon()
    await this.#endedWithin(endGraceMs)
  }

  async #endedWithin(ms: number): Promise<boolean> {
    return (await within(this.#agent.ended, ms, null)) !== null
  }

  #read(line: string): AgentMessage {
    const parsed = agentMessageSchema.safeParse(decodeWire(line))
    if (!parsed.success) throw protocolError(this.#host.place, `something that is no message: ${line.slice(0, 200)}`)
    const message = parsed.data
    if (this.#pid === null) {
      if (message.type === 'error') return message
      if (message.type !== 'hello') throw protocolError(this.#host.place, `"${message.type}" before "hello"`)
      if (message.protocol !== AGENT_PROTOCOL_VERSION) {
        throw protocolError(this.#host.place, `protocol ${message.protocol}, expected ${AGENT_PROTOCOL_VERSION}`)
      }
      if (!Number.isSafeInteger(message.pid) || message.pid <= 1) throw protocolError(this.#host.place, `the process id ${message.pid}`)
      this.#pid = message.pid
    } else if (message.type === 'hello') {
      throw protocolError(this.#host.place, 'a second "hello"')
    }
    return message
  }

  #passOn(message: AgentMessage): void {
    if (message.type === 'progress') {
      const { phase, done, total, unit } = message.progress
      this.#reporter.progress({ phase: shownText(phase), done, total, unit: shownText(unit, 40) })
    } else if (message.type === 'log') {
      this.#reporter.log(shownText(message.text, longestLogLine))
    }
  }

  async #passOnErrors(): Promise<readonly string[]> {
    const last: string[] = []
    let count = 0
    try {
      for await (const line of readLines(this.#agent.stderr, longestLogLineBytes)) {
        const shown = shownText(line, longestLogLine)
        last.push(shown)
        if (last.length > lastWords) last.shift()
        if (++count <= mostLogLines && !this.#over) this.#reporter.log(shown)
      }
    } catch {
      // A line of a megabyte, or a stream that broke: the rest is not worth keeping.
      this.#agent.stderr.resume()
    }
    return last
  }

  async #died(end: ProcessEnd): Promise<EdgesmithError> {
    const said = await within(this.#errorLines, lastWordsGraceMs, [])
    const how = end.signal ? `was ended by ${shownText(end.signal)}` : `ended with exit code ${end.exitCode}`
    // 137 is how a shell tells of SIGKILL.
    const killed = end.signal === 'SIGKILL' || end.exitCode === 137
    return new EdgesmithError('ENGINE_DIED', `The agent on ${this.#host.place} ${how} before it had finished`, {
      hint: killed ? 'Was it killed for using too much memory? On the device, dmesg tells.' : 'The log of the job has what it said last.',
      details: { exitCode: end.exitCode, signal: end.signal, said },
    })
  }
}

/** What an agent reports as an error to throw; a code that is not in the catalogue comes from a newer agent. */
function asError(report: {
  code: string
  message: string
  hint?: string | undefined
  details?: Record<string, unknown> | undefined
}): Error {
  const known = report.code === 'INTERNAL' || Object.hasOwn(errorCatalogue, report.code)
  const fits = JSON.stringify(report.details ?? {}).length <= largestDetails
  return fromErrorReport({
    code: (known ? report.code : 'DEVICE_COMMAND_FAILED') as ErrorReport['code'],
    message: shownText(report.message, 1000),
    hint: report.hint === undefined ? undefined : shownText(report.hint, 1000),
    details: fits ? report.details : undefined,
  })
}
