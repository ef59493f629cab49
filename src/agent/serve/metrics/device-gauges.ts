import { findBoardSensors, NO_TOOLS, readBoard } from '../../../core/telemetry/board-reading.ts'
import type { CpuTicks } from '../../../core/telemetry/system-load.ts'
import { rootedFiles, type SystemRoot } from '../../../platform/system-files.ts'
import type { MetricFamily } from './metric-text.ts'

/** Reading takes a millisecond or two on a slow board: who asks more often gets the same again. */
const READ_EVERY_MS = 1000
const HERTZ_IN_MHZ = 1e6

/** What the machine says of itself without root: temperature, clocks, load, memory, power. What it does not say has no value. */
export class DeviceGauges {
  readonly #files
  readonly #sensors
  #ticks: CpuTicks | null = null
  #families: MetricFamily[] = []
  #readAtMs = Number.NEGATIVE_INFINITY

  /** @param root folder under which /proc and /sys are */
  constructor(root: SystemRoot = '/') {
    this.#files = rootedFiles(root)
    this.#sensors = findBoardSensors(this.#files)
  }

  families(): readonly MetricFamily[] {
    const now = performance.now()
    if (now - this.#readAtMs >= READ_EVERY_MS) {
      this.#readAtMs = now
      this.#families = this.#read()
    }
    return this.#families
  }

  #read(): MetricFamily[] {
    const { reading, ticks } = readBoard(this.#files, this.#sensors, this.#ticks, NO_TOOLS)
    this.#ticks = ticks ?? this.#ticks
    const gauge = (name: string, help: string, value: number | null): MetricFamily => ({
      name: `edgesmith_device_${name}`,
      help,
      type: 'gauge',
      samples: value === null ? [] : [{ labels: {}, value }],
    })
    return [
      gauge('temperature_celsius', 'Of the processor, or the hottest zone.', reading.temperatureC),
      gauge('cpu_clock_hertz', 'Mean clock of all cores that are on.', reading.clockMhz === null ? null : reading.clockMhz * HERTZ_IN_MHZ),
      gauge('cpu_allowed_clock_ratio', 'Allowed over possible clock: below 1 something holds it down.', reading.allowedClock),
      gauge('cpu_load_ratio', 'Share of all processors in use since the reading before.', reading.cpuLoad),
      gauge('memory_used_bytes', 'Memory in use.', reading.memoryUsedBytes),
      gauge('power_watts', 'Of the whole board.', reading.powerW),
      gauge('gpu_load_ratio', 'Load of the GPU.', reading.gpuLoad),
      gauge('throttled', '1 while something holds the clocks down.', Number(reading.throttled.length > 0)),
    ]
  }
}
