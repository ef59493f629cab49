import { freemem, platform } from 'node:os'
import type { PreflightCheck } from '../../contract/measurement.ts'
import { firmwareWords } from '../../core/telemetry/vcgencmd.ts'
import { readSystemFile, type SystemRoot } from '../../platform/system-files.ts'
import { type ClockState, FULL_CLOCK, staysAtLowestClock } from './clock-state.ts'
import { CALM_SHARE } from './measurement-warnings.ts'

/** Boards begin to slow down at 80 °C (Raspberry Pi documentation, "frequency management and thermal control"); PCs later. */
const HOTTEST_C = 80
/** What process, runtime and model need beside each other: ONNX Runtime keeps packed copies of weights. */
const PROCESS_BYTES = 200 * 2 ** 20
const TIMES_MODEL = 4

/** What is known of the machine just before a measurement. */
export interface Conditions {
  readonly clocks: ClockState
  /** Share of the processors that other programs used, 0 to 1. */
  readonly others: number | undefined
  readonly modelBytes: number
}

/**
 * Looks at what makes timings longer or less sure. Facts a machine does not give are left out. Nothing is changed: a governor is the
 * user's choice, and whatever is found, the measurement goes on and is labelled.
 */
export function preflightChecks(root: SystemRoot, { clocks, others, modelBytes }: Conditions): PreflightCheck[] {
  const checks: PreflightCheck[] = []
  const add = (name: string, found: string, wanted: string, ok: boolean) => checks.push({ name, found, wanted, ok })
  if (clocks.governor !== undefined) {
    add('governor', clocks.governor, 'one that raises the clock under load', !staysAtLowestClock(clocks))
  }
  if (clocks.allowedClock !== undefined) {
    const percent = Math.round(clocks.allowedClock * 100)
    add('allowed clock', `${percent} % of the highest`, 'all of it', clocks.allowedClock >= FULL_CLOCK)
  }
  if (clocks.temperatureC !== undefined) {
    add('temperature', `${clocks.temperatureC.toFixed(1)} °C`, `below ${HOTTEST_C} °C`, clocks.temperatureC < HOTTEST_C)
  }
  if (clocks.firmwareBits !== undefined || clocks.cooling !== undefined) {
    const live = [...firmwareWords(clocks.firmwareBits ?? 0), ...(clocks.cooling ?? [])]
    add('throttling', live.length > 0 ? live.join(', ') : 'none', 'none', live.length === 0)
  }
  if (others !== undefined) {
    const wanted = `at most ${CALM_SHARE * 100} %`
    add('other programs', `${Math.round(others * 100)} % of the processors`, wanted, others <= CALM_SHARE)
  }
  const freeBytes = availableBytes(root)
  const neededBytes = PROCESS_BYTES + TIMES_MODEL * modelBytes
  if (freeBytes !== undefined) add('free memory', megabytes(freeBytes), `at least ${megabytes(neededBytes)}`, freeBytes >= neededBytes)
  return checks
}

/** Memory that programs can have without swapping: the estimate of Linux or Windows. What macOS calls free says nothing about that. */
function availableBytes(root: SystemRoot): number | undefined {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readSystemFile(root, '/proc/meminfo') ?? '')?.[1]
  if (kilobytes !== undefined) return Number(kilobytes) * 1024
  return platform() === 'win32' ? freemem() : undefined
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
