import type { TelemetryReading } from '../../contract/telemetry.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatCount, formatSignificant } from '../format/numbers.ts'

/** One thing a machine says of itself. */
export interface TelemetryMetric {
  readonly key: 'temperature' | 'clock' | 'load' | 'memory' | 'power' | 'gpuLoad' | 'gpuClock'
  readonly label: string
  /** Null: the machine does not say. */
  readonly of: (reading: TelemetryReading) => number | null
  /** With its unit. */
  readonly format: (value: number) => string
  /** What is drawn: values in this unit. */
  readonly unit: string
  readonly perUnit: number
  /** The axis ends at these values; without them it begins at zero, or fits the values where zero means nothing. */
  readonly range: readonly [number, number] | 'from zero' | 'fitted'
  /** Smallest span a tiny or fitted chart shows, so that noise does not look like a storm. */
  readonly calmSpan: number
}

const percent = (share: number) => `${(share * 100).toFixed(0)}%`
const share = { unit: '%', perUnit: 0.01, range: [0, 105], calmSpan: 1, format: percent } as const
const clock = { unit: 'MHz', perUnit: 1, range: 'from zero', calmSpan: 400, format: (mhz: number) => `${formatCount(mhz)} MHz` } as const

/** What every machine may say. */
export const boardMetrics: readonly TelemetryMetric[] = [
  {
    key: 'temperature',
    label: 'Temperature',
    of: ({ temperatureC }) => temperatureC,
    format: (celsius) => `${celsius.toFixed(0)} °C`,
    unit: '°C',
    perUnit: 1,
    range: 'fitted',
    calmSpan: 10,
  },
  { key: 'clock', label: 'Clock', of: ({ clockMhz }) => clockMhz, ...clock },
  { key: 'load', label: 'Load', of: ({ cpuLoad }) => cpuLoad, ...share },
  {
    key: 'memory',
    label: 'Memory',
    of: ({ memoryUsedBytes }) => memoryUsedBytes,
    format: formatBytes,
    unit: 'GB',
    perUnit: 1e9,
    range: 'from zero',
    calmSpan: 100_000_000,
  },
  {
    key: 'power',
    label: 'Power',
    of: ({ powerW }) => powerW,
    format: (watts) => `${formatSignificant(watts)} W`,
    unit: 'W',
    perUnit: 1,
    range: 'from zero',
    calmSpan: 1,
  },
]

/** What only a board with a GPU says; not missed elsewhere. */
export const gpuMetrics: readonly TelemetryMetric[] = [
  { key: 'gpuLoad', label: 'GPU load', of: ({ gpuLoad }) => gpuLoad, ...share },
  { key: 'gpuClock', label: 'GPU clock', of: ({ gpuClockMhz }) => gpuClockMhz, ...clock },
]

/** Those of the metrics that any reading has, and those that none has. */
export function readableMetrics(readings: readonly TelemetryReading[]): {
  readonly readable: readonly TelemetryMetric[]
  readonly missing: readonly TelemetryMetric[]
} {
  const isRead = ({ of }: TelemetryMetric) => readings.some((reading) => of(reading) !== null)
  return {
    readable: [...boardMetrics, ...gpuMetrics].filter(isRead),
    missing: boardMetrics.filter((metric) => !isRead(metric)),
  }
}

/** The newest value of a metric; null where the machine stopped saying it, or never did. */
export function newestValue(readings: readonly TelemetryReading[], { of }: TelemetryMetric): number | null {
  const last = readings.at(-1)
  return last ? of(last) : null
}
