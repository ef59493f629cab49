import { setTimeout as sleep } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { type Energy, MOST_RUN_READINGS, type RunTelemetry, type TelemetryReading } from '../../contract/telemetry.ts'
import { FEWEST_POWER_READINGS, meanPower, runEnergy } from '../../core/telemetry/run-energy.ts'
import { thinReadings } from '../../core/telemetry/thinned-readings.ts'
import { readSystemFile, type SystemRoot } from '../../platform/system-files.ts'
import type { BenchmarkPrograms } from './scenario.ts'
import { sharedNowMs } from './shared-clock.ts'
import type { TelemetryCommand, TelemetryOrder, TelemetryReport, ToldTelemetry } from './telemetry-worker.ts'

/** The measured part of a run ({@link sharedNowMs}), and what was done in it. */
export interface MeasuredPart {
  readonly beginMs: number
  readonly endMs: number
  /** From the first start to the last end, and the runs in it. */
  readonly elapsedMs: number
  readonly runs: number
}

/** What was seen of the machine during a run. */
export interface SeenInRun {
  readonly telemetry: RunTelemetry | null
  readonly energy: Energy
  /** Everything that held clocks down during the measured part, in words. */
  readonly throttled: string[]
  /** CPU time the readings took during the measured part, milliseconds. */
  readonly cpuMs: number
}

/** Long enough for five readings; tools are asked every two seconds. */
const IDLE_MS = 2000
const IDLE_WITH_TOOLS_MS = 2600
/** A reading at the begin or end of the measured part belongs to it although a moment passes until the thread takes it. */
const MARK_SLACK_MS = 250
/** A thread that does not say anything for so long is given up: the run matters, not the readings. Emulated boards take 7 s to start one. */
const SILENCE_MS = 30_000
/** Small: it reads files of a line. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32, stackSizeMb: 1 }

const LOOKED_FOR =
  'looked for rails of an INA3221 and for single monitors (INA219, INA238 and relatives) in /sys/bus/i2c and /sys/class/hwmon, and for the PMIC of a Raspberry Pi 5 with vcgencmd'

/**
 * Reads the machine's sensors during a run, in a thread of its own, see `telemetry-worker.ts`. Never makes a run fail: what cannot be read
 * is missing from the result.
 */
export class RunSampler {
  /** Memory the thread takes in this process. */
  readonly rssBytes: number
  readonly #worker: Worker
  readonly #ready: Extract<TelemetryReport, { kind: 'ready' }>
  #idleW: number | null = null
  #ended = false

  private constructor(worker: Worker, ready: Extract<TelemetryReport, { kind: 'ready' }>, rssBytes: number) {
    this.#worker = worker
    this.#ready = ready
    this.rssBytes = rssBytes
    worker.once('exit', () => {
      this.#ended = true
    })
  }

  /** Starts the thread; null where there is nothing to read (not Linux) or no thread can be started. */
  static async start(root: SystemRoot, programs: Pick<BenchmarkPrograms, 'startTelemetry'> | undefined): Promise<RunSampler | null> {
    if (!programs || readSystemFile(root, '/proc/stat') === undefined) return null
    const before = process.memoryUsage.rss()
    const worker = programs.startTelemetry({
      workerData: { root, most: MOST_RUN_READINGS } satisfies TelemetryOrder,
      resourceLimits: LIMITS,
    })
    worker.unref()
    // A thread that dies (of its memory limit) must not take the run with it; its readings are missed when they are asked for.
    worker.on('error', () => {})
    const ready = await reportOf(worker, 'ready')
    if (ready) return new RunSampler(worker, ready, Math.max(0, process.memoryUsage.rss() - before))
    void worker.terminate()
    return null
  }

  /**
   * Waits two seconds and keeps the mean power of that time as that of the idle board; at once where no sensor measures power.
   * @throws EdgesmithError `JOB_CANCELLED`
   */
  async measureIdle(reporter: JobReporter, signal: AbortSignal): Promise<void> {
    if (!this.#ready.power) return
    reporter.progress({ phase: 'idle power', done: 0, total: null, unit: '' })
    const fromMs = sharedNowMs()
    this.mark()
    await sleep(this.#ready.asksTools ? IDLE_WITH_TOOLS_MS : IDLE_MS, undefined, { signal }).catch(() => {
      throw new EdgesmithError('JOB_CANCELLED', 'The measurement was cancelled.')
    })
    this.mark()
    const told = await this.#tell()
    this.#idleW = told && meanPower(told.powers.filter(({ atMs }) => atMs >= fromMs))
  }

  /** The measured part begins or ends: one reading right now, without waiting for it. */
  mark(): void {
    this.#worker.postMessage('read' satisfies TelemetryCommand)
  }

  /** Everything that belongs to the measured part. */
  async seen({ beginMs, endMs, elapsedMs, runs }: MeasuredPart): Promise<SeenInRun> {
    const told = await this.#tell()
    const inside = ({ atMs }: { readonly atMs: number }) => atMs >= beginMs && atMs <= endMs + MARK_SLACK_MS
    const readings = thinReadings(
      (told?.readings ?? [])
        .filter(inside)
        .map((reading): TelemetryReading => ({ ...reading, atMs: Math.min(reading.atMs, endMs) - beginMs })),
      MOST_RUN_READINGS,
    )
    const cpu = (told?.cpuMs ?? []).filter(inside)
    return {
      telemetry: readings.length > 0 ? { readings, powerSource: this.#ready.power?.source ?? null } : null,
      energy: this.#energy((told?.powers ?? []).filter(inside), elapsedMs, runs),
      throttled: [...new Set(readings.flatMap(({ throttled }) => throttled))],
      cpuMs: Math.max(0, (cpu.at(-1)?.ms ?? 0) - (cpu[0]?.ms ?? 0)),
    }
  }

  stop(): void {
    void this.#worker.terminate()
  }

  #energy(powers: ToldTelemetry['powers'], elapsedMs: number, runs: number): Energy {
    const { power, railNames } = this.#ready
    if (!power) {
      const reason =
        railNames.length > 0
          ? `The rails ${railNames.join(', ')} can be read, but neither one of them nor a documented sum of them is the whole board.`
          : `No power sensor was found: ${LOOKED_FOR}.`
      return { measurable: false, reason }
    }
    const meanW = meanPower(powers)
    if (meanW === null || powers.length < FEWEST_POWER_READINGS) {
      const seconds = (elapsedMs / 1000).toFixed(1)
      const reason = `Only ${powers.length} power readings of ${power.source} fell into the ${seconds} s that were measured; ${FEWEST_POWER_READINGS} are needed. Measure for longer.`
      return { measurable: false, reason }
    }
    if (this.#idleW === null)
      return { measurable: false, reason: `${power.source} showed nothing before the measurement, when the board was idle.` }
    return { measurable: true, ...runEnergy(meanW, this.#idleW, elapsedMs, runs), readings: powers.length, ...power }
  }

  async #tell(): Promise<ToldTelemetry | null> {
    if (this.#ended) return null
    this.#worker.postMessage('tell' satisfies TelemetryCommand)
    return reportOf(this.#worker, 'told')
  }
}

/** The thread's next report of that kind; null when it fails, ends or says nothing. */
function reportOf<K extends TelemetryReport['kind']>(worker: Worker, kind: K): Promise<Extract<TelemetryReport, { kind: K }> | null> {
  return new Promise((resolve) => {
    const settle = (report: Extract<TelemetryReport, { kind: K }> | null) => {
      clearTimeout(timer)
      worker.off('message', hear).off('error', end).off('exit', end)
      resolve(report)
    }
    const hear = (report: TelemetryReport) => {
      if (report.kind === kind) settle(report as Extract<TelemetryReport, { kind: K }>)
      else if (report.kind === 'failed') settle(null)
    }
    const end = () => settle(null)
    const timer = setTimeout(end, SILENCE_MS)
    worker.on('message', hear).on('error', end).on('exit', end)
  })
}
