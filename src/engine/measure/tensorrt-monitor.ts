import type { TrtexecLine } from '../../core/tensorrt/trtexec-log.ts'
import { readSystemFile } from '../../platform/system-files.ts'
import type { MachineWatch } from './machine-watch.ts'

/** What the process of trtexec used. */
export interface ProgramUse {
  /** Resident memory when it began, before the engine was loaded. */
  readonly idleRssBytes: number
  readonly peakRssBytes: number
  readonly steadyRssBytes: number
  /** Since the end of warm-up; null where it ended before that was seen. */
  readonly memoryGrowthBytes: number | null
  /** CPU time of the inference, warm-up included, milliseconds. */
  readonly inferenceCpuMs: number
}

/** Kernel ticks of CPU time have 10 ms on every Linux (USER_HZ is 100 for programs). */
const TICK_MS = 10

/**
 * Looks at the process of trtexec while it times an engine: memory, CPU time, and when the measured part begins and ends. What trtexec
 * does not say (the end of warm-up) is known by time.
 */
export class TrtexecMonitor {
  readonly #watch: MachineWatch
  readonly #warmUpMs: number
  #idle = 0
  #peak = 0
  #steady = 0
  #warm: number | undefined
  #cpuAtStart = 0
  #cpuMs = 0
  #startedMs: number | undefined
  #phase: 'loading' | 'warm-up' | 'measuring' | 'over' = 'loading'

  constructor(watch: MachineWatch, warmUpMs: number) {
    this.#watch = watch
    this.#warmUpMs = warmUpMs
  }

  get phase(): 'loading' | 'warm-up' | 'measuring' | 'over' {
    return this.#phase
  }

  /** Milliseconds since the measured part began. */
  get measuredMs(): number {
    return this.#startedMs === undefined ? 0 : Math.max(0, performance.now() - this.#startedMs - this.#warmUpMs)
  }

  onLine({ event }: TrtexecLine, pid: number | undefined): void {
    this.#look(pid)
    if (event === 'inference started' && this.#phase === 'loading') {
      this.#phase = 'warm-up'
      this.#startedMs = performance.now()
      this.#cpuAtStart = this.#cpuMs
      if (this.#warmUpMs === 0) this.#begin()
    }
    // It is printed when all is over, with what follows.
    if (event === 'inference ended') this.end()
  }

  onTick(pid: number | undefined): void {
    this.#look(pid)
    if (this.#phase === 'warm-up' && this.#startedMs !== undefined && performance.now() - this.#startedMs >= this.#warmUpMs) this.#begin()
    if (this.#phase === 'measuring') this.#watch.look()
  }

  /** The measured part is over. Called once more when trtexec has ended, for versions that do not say it. */
  end(): void {
    if (this.#phase === 'over') return
    if (this.#phase !== 'measuring') this.#begin()
    this.#phase = 'over'
    this.#watch.end(this.#cpuMs)
  }

  get use(): ProgramUse {
    return {
      idleRssBytes: this.#idle,
      peakRssBytes: this.#peak,
      steadyRssBytes: this.#steady,
      memoryGrowthBytes: this.#warm === undefined ? null : this.#steady - this.#warm,
      inferenceCpuMs: Math.max(0, this.#cpuMs - this.#cpuAtStart),
    }
  }

  #begin(): void {
    this.#phase = 'measuring'
    this.#warm = this.#steady > 0 ? this.#steady : undefined
    this.#watch.begin(this.#cpuMs)
  }

  #look(pid: number | undefined): void {
    if (pid === undefined || this.#phase === 'over') return
    // The real /proc, also where tests make up a machine: it is the process of this system.
    const status = readSystemFile('/', `/proc/${pid}/status`) ?? ''
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
    const rss = kib('VmRSS')
    if (rss > 0) {
      if (this.#idle === 0) this.#idle = rss
      this.#steady = rss
      this.#peak = Math.max(this.#peak, kib('VmHWM'), rss)
    }
    const fields = readSystemFile('/', `/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')
    const ticks = Number(fields?.[11]) + Number(fields?.[12])
    if (Number.isFinite(ticks)) this.#cpuMs = Math.max(this.#cpuMs, ticks * TICK_MS)
  }
}
