import { open } from 'node:fs/promises'
import type { KernelTiming, KernelValue } from '../../core/explanation/model-profile.ts'
import { parseJson } from '../../core/parse-json.ts'

/** Lines of a profile that are read (100 MB, a second or two); whoever profiles keeps the number of runs below. */
export const PROFILE_LINES = 150_000
/** Characters of a line: a kernel with hundreds of inputs has some thousands. */
const LINE_LIMIT = 100_000

/** The kernels of a profile by their node's name, and the median of a whole run. */
export interface ProfileTimings {
  readonly kernels: readonly KernelTiming[]
  readonly runMs: number
  readonly runs: number
}

/** One event of kind "Node": a kernel that ran once. */
interface KernelEvent {
  readonly name: string
  readonly startUs: number
  readonly durationUs: number
  readonly args: Readonly<Record<string, unknown>>
}

/**
 * Reads a file written by ONNX Runtime's profiler (1.30): a JSON list with one event on each line. Kernels carry their node's name
 * with `_kernel_time` behind; `model_run` ends each inference. Lines that cannot be read (names are written without escaping) are
 * left out.
 *
 * @param skipRuns inferences at the beginning that do not count
 * @param combine one number of microseconds from those of all runs
 */
export async function readProfile(
  path: string,
  skipRuns: number,
  combine: (us: readonly number[]) => number = groupedMedian,
): Promise<ProfileTimings> {
  const runs: number[] = []
  const collected = new Map<string, { readonly event: KernelEvent; readonly perRun: Map<number, number> }>()
  let finished = 0
  let pending: KernelEvent[] = []
  const file = await open(path)
  try {
    let lines = 0
    for await (const line of file.readLines()) {
      if (++lines > PROFILE_LINES) break
      const event = line.length <= LINE_LIMIT ? parseLine(line) : undefined
      if (!event) continue
      if (event.category === 'Session' && event.name === 'model_run') {
        if (finished++ < skipRuns) {
          pending = []
          continue
        }
        for (const [kernel, us] of ownTimes(pending)) {
          const key = `${kernel.name} ${kernel.args.node_index}`
          const entry = collected.get(key) ?? { event: kernel, perRun: new Map<number, number>() }
          collected.set(key, entry)
          entry.perRun.set(runs.length, (entry.perRun.get(runs.length) ?? 0) + us)
        }
        runs.push(event.durationUs)
        pending = []
      } else if (event.category === 'Node' && event.name.endsWith('_kernel_time')) {
        pending.push({ ...event, name: event.name.slice(0, -'_kernel_time'.length) })
      }
    }
  } finally {
    await file.close()
  }
  const kernels = [...collected.values()].map(({ event, perRun }): KernelTiming => {
    // In a run that took another branch it did not run: nothing is its time there.
    const times = Array.from(runs, (_, run) => perRun.get(run) ?? 0)
    return { name: event.name, ms: combine(times) / 1000, ...describe(event.args) }
  })
  return { kernels, runMs: runs.length > 0 ? combine(runs) / 1000 : 0, runs: runs.length }
}

/**
 * Median of whole microseconds that stand for the next lower true time: within the microsecond that holds it, values are taken as
 * spread evenly, which tells kernels of a few microseconds apart (grouped median: L + (n/2 − F) / f with class width 1).
 * Worked example: 3, 3, 3, 4: n/2 = 2 of the three in [3, 4): 3.67.
 */
export function groupedMedian(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined || middle === 0) return 0
  const below = sorted.indexOf(middle)
  const inClass = sorted.lastIndexOf(middle) - below + 1
  return middle + (sorted.length / 2 - below) / inClass
}

/** Time of each kernel without the kernels that ran inside it (If, Loop and Scan run those of their bodies). */
function ownTimes(events: readonly KernelEvent[]): [KernelEvent, number][] {
  const sorted = [...events].sort((a, b) => a.startUs - b.startUs || b.durationUs - a.durationUs)
  const own = sorted.map((event): [KernelEvent, number] => [event, event.durationUs])
  const around: number[] = []
  for (const [index, { startUs, durationUs }] of sorted.entries()) {
    for (let last = around.at(-1); last !== undefined; last = around.at(-1)) {
      if (startUs + durationUs <= end(sorted[last]!) && startUs < end(sorted[last]!)) break
      around.pop()
    }
    const outer = around.at(-1)
    if (outer !== undefined) own[outer]![1] = Math.max(0, own[outer]![1] - durationUs)
    around.push(index)
  }
  return own
}

function end({ startUs, durationUs }: KernelEvent): number {
  return startUs + durationUs
}

function parseLine(line: string): (KernelEvent & { readonly category: string }) | undefined {
  const parsed = parseJson(line.trim().replace(/,$/, ''))
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const { cat, name, ts, dur, args } = parsed as Record<string, unknown>
  if (typeof cat !== 'string' || typeof name !== 'string' || !isTime(ts) || !isTime(dur)) return undefined
  const known = typeof args === 'object' && args !== null ? (args as Record<string, unknown>) : {}
  return { category: cat, name, startUs: ts, durationUs: dur, args: known }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

function describe(args: KernelEvent['args']): Omit<KernelTiming, 'name' | 'ms'> {
  return {
    op: typeof args.op_name === 'string' ? args.op_name : '',
    inputs: values(args.input_type_shape),
    outputs: values(args.output_type_shape),
    activationBytes: bytes(args.activation_size),
    parameterBytes: bytes(args.parameter_size),
    outputBytes: bytes(args.output_size),
  }
}

/** `[{"uint8":[1,28,28,24]},{"float":[]}]` */
function values(listed: unknown): KernelValue[] {
  if (!Array.isArray(listed)) return []
  return listed.flatMap((entry: unknown) => {
    const [first] = Object.entries(entry ?? {})
    if (!first || !Array.isArray(first[1])) return []
    return [{ type: first[0], shape: first[1].map(Number) }]
  })
}

function bytes(text: unknown): number {
  const number = Number(text)
  return Number.isFinite(number) && number > 0 ? number : 0
}
