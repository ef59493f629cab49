import { z } from 'zod'
import { parseJson } from '../../../core/parse-json.ts'

const lineSchema = z.looseObject({ time: z.string(), level: z.string(), event: z.string() })

/** A line of a service's log, as a person reads it. */
export interface LogLine {
  /** Null for lines that are no event: what a library printed. */
  readonly at: string | null
  readonly level: 'info' | 'warn' | 'error'
  readonly event: string
  /** The rest of it. */
  readonly text: string
}

/** Longer lines are not taken apart. */
const LONGEST_EVENT = 20_000

/** Lines of a log, each an event as JSON or any text; empty ones are left out. */
export function logLines(log: string): LogLine[] {
  return log
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(logLine)
}

function logLine(line: string): LogLine {
  const parsed = line.startsWith('{') && line.length <= LONGEST_EVENT ? lineSchema.safeParse(parseJson(line)) : undefined
  if (!parsed?.success) return { at: null, level: 'info', event: '', text: line }
  const { time, level, event, ...rest } = parsed.data
  const text = Object.entries(rest)
    .map(([key, value]) => `${key}=${typeof value === 'string' ? quoted(value) : shortNumbers(value)}`)
    .join(' ')
  return { at: time, level: level === 'error' ? 'error' : level.startsWith('warn') ? 'warn' : 'info', event, text }
}

function quoted(value: string): string {
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value)
}

/** Durations have fifteen digits; nobody reads more than four. */
function shortNumbers(value: unknown): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)))
  return JSON.stringify(value) ?? 'null'
}
