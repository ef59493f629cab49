import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { TelemetryReading } from '../../contract/telemetry.ts'
import { findBoardSensors, NO_TOOLS, readBoard, type ToolAnswers } from '../../core/telemetry/board-reading.ts'
import { pmicBoardPower, readPmicRails } from '../../core/telemetry/pmic-power.ts'
import type { PowerAt } from '../../core/telemetry/run-energy.ts'
import type { CpuTicks } from '../../core/telemetry/system-load.ts'
import { thinReadings } from '../../core/telemetry/thinned-readings.ts'
import { readThrottled } from '../../core/telemetry/vcgencmd.ts'
import { rootedFiles, type SystemRoot } from '../../platform/system-files.ts'
import { isRaspberryPi } from './device-tree.ts'
import { sharedNowMs } from './shared-clock.ts'

/** What the thread is started with. */
export interface TelemetryOrder {
  readonly root: SystemRoot
  /** Readings that a run keeps. */
  readonly most: number
}

/** Read now; tell everything. */
export type TelemetryCommand = 'read' | 'tell'

/** What the thread says: first `ready`, then `told` for every `tell`. Moments are those of `sharedNowMs`. */
export type TelemetryReport =
  | { readonly kind: 'ready'; readonly railNames: readonly string[]; readonly power: PowerSource | null; readonly asksTools: boolean }
  | ({ readonly kind: 'told' } & ToldTelemetry)
  | { readonly kind: 'failed'; readonly message: string }

export interface PowerSource {
  readonly source: string
  readonly estimated: boolean
}

export interface ToldTelemetry {
  readonly readings: readonly TelemetryReading[]
  /** Power readings proper: what a tool answered is in several of `readings`, and once here. */
  readonly powers: readonly PowerAt[]
  /** CPU time this thread had used at each `read`, milliseconds; empty where it cannot be told. */
  readonly cpuMs: readonly { readonly atMs: number; readonly ms: number }[]
}

const READ_EVERY_MS = 500
/** Reading takes at most this share of a processor, as far as the cheapest of the last readings tells: slow boards are read less often. */
const MOST_SHARE = 0.01
const LAST_READINGS = 5
/** A board is looked at this often in any case. */
const SELDOM_MS = 5000
const ASK_EVERY_MS = 2000
const TOOL_TIMEOUT_MS = 1000
const TOOL_OUTPUT_BYTES = 65_536

/**
 * Reads the board's sensors twice a second in a worker thread, while another thread measures: /proc and /sys, on a Raspberry Pi also
 * `vcgencmd` every two seconds. Keeps everything here until it is asked, so that the measuring thread is not woken. Ends when its port does.
 */
export async function runTelemetry(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('telemetry runs in a worker thread')
  const say = (report: TelemetryReport) => port.postMessage(report)
  try {
    const sampler = new Sampler(workerData as TelemetryOrder)
    say(await sampler.start())
    port.on('message', (command: TelemetryCommand) => {
      if (command === 'read') sampler.read(true)
      else say({ kind: 'told', ...sampler.told() })
    })
    for (;;) {
      await sleep(sampler.pauseMs)
      sampler.askTools()
      sampler.read(false)
    }
  } catch (error) {
    say({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
    port.close()
  }
}

class Sampler {
  #everyMs = READ_EVERY_MS
  readonly #costsMs: number[] = []
  readonly #files
  readonly #sensors
  readonly #isRaspberryPi: boolean
  readonly #most: number
  #tools: ToolAnswers = NO_TOOLS
  #hasPmic = false
  #askedAtMs = 0
  #ticks: CpuTicks | null = null
  #readings: TelemetryReading[] = []
  #powers: PowerAt[] = []
  readonly #cpuMs: { atMs: number; ms: number }[] = []

  constructor({ root, most }: TelemetryOrder) {
    this.#most = most
    this.#files = rootedFiles(root)
    this.#sensors = findBoardSensors(this.#files)
    this.#isRaspberryPi = isRaspberryPi(root)
  }

  async start(): Promise<TelemetryReport> {
    if (this.#isRaspberryPi) {
      this.#hasPmic = true
      await this.#ask()
      this.#hasPmic = this.#tools.pmicPower !== null
    }
    const power = this.read(false)
    return {
      kind: 'ready',
      railNames: this.#sensors.rails.map(({ name }) => name),
      power: power && { source: power.source, estimated: power.estimated },
      asksTools: this.#hasPmic,
    }
  }

  /** @param marked the moment matters: a measured part begins or ends */
  read(marked: boolean) {
    const atMs = sharedNowMs()
    const cpuBeforeMs = ownThreadCpuMs()
    const { reading, ticks, power } = readBoard(this.#files, this.#sensors, this.#ticks, this.#tools)
    this.#ticks = ticks ?? this.#ticks
    this.#readings.push({ atMs, ...reading })
    if (power && !this.#hasPmic) this.#powers.push({ atMs, watts: power.watts })
    const cpuAfterMs = ownThreadCpuMs()
    if (marked && cpuAfterMs !== null) this.#cpuMs.push({ atMs, ms: cpuAfterMs })
    // A run of a day keeps as many readings as are shown, and not more than twice as many on the way there.
    if (this.#readings.length > 2 * this.#most) {
      this.#readings = thinReadings(this.#readings, this.#most)
      this.#everyMs *= 2
    }
    this.#costsMs.push(cpuBeforeMs === null || cpuAfterMs === null ? sharedNowMs() - atMs : cpuAfterMs - cpuBeforeMs)
    if (this.#costsMs.length > LAST_READINGS) this.#costsMs.shift()
    return power
  }

  /** Until the next reading. */
  get pauseMs(): number {
    return Math.max(this.#everyMs, Math.min(SELDOM_MS, Math.min(...this.#costsMs) / MOST_SHARE))
  }

  askTools(): void {
    if (this.#isRaspberryPi && sharedNowMs() - this.#askedAtMs >= ASK_EVERY_MS) void this.#ask()
  }

  told(): ToldTelemetry {
    return { readings: this.#readings, powers: this.#powers, cpuMs: this.#cpuMs }
  }

  async #ask(): Promise<void> {
    this.#askedAtMs = sharedNowMs()
    const [bits, pmic] = await Promise.all([vcgencmd('get_throttled'), this.#hasPmic ? vcgencmd('pmic_read_adc') : ''])
    const pmicPower = pmicBoardPower(readPmicRails(pmic))
    this.#tools = { firmwareBits: readThrottled(bits), pmicPower, tegrastats: null }
    if (pmicPower) this.#powers.push({ atMs: sharedNowMs(), watts: pmicPower.watts })
  }
}

/** Empty when there is no such tool, no right to use it, or no answer in time. */
function vcgencmd(command: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('vcgencmd', [command], { timeout: TOOL_TIMEOUT_MS, maxBuffer: TOOL_OUTPUT_BYTES }, (error, stdout) =>
      resolve(error ? '' : stdout),
    )
  })
}

/** CPU time of this thread (first number: nanoseconds on a processor; kernel `Documentation/scheduler/sched-stats.rst`); null where it is not told. */
function ownThreadCpuMs(): number | null {
  try {
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0])
    return Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : null
  } catch {
    return null
  }
}
