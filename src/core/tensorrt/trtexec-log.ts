import { type TensorRtVersion, tensorRtVersion } from './trtexec-version.ts'

/** Statistics of one quantity as trtexec prints them, milliseconds. Older versions leave some out. */
export interface TrtexecSummary {
  readonly min?: number
  readonly max?: number
  readonly mean?: number
  readonly median?: number
  /** Percentile to value: `{ 99: 12.9 }`. */
  readonly percentiles: Readonly<Record<string, number>>
}

/** Quantities of the performance summary, by the names trtexec uses from version 8 on. */
export type TrtexecQuantity = 'latency' | 'endToEnd' | 'enqueue' | 'h2d' | 'compute' | 'd2h'

/** Everything that was understood of a log. */
export interface TrtexecLog {
  readonly version: TensorRtVersion | undefined
  /** Of the last line that says so. */
  readonly outcome: 'passed' | 'failed' | undefined
  /** `Orin`, `NVIDIA Tegra X1`. */
  readonly gpu: string | undefined
  readonly computeCapability: string | undefined
  readonly engineBytes: number | undefined
  readonly buildSeconds: number | undefined
  /** Reading the file; up to version 8.2 making the engine of it as well. */
  readonly loadSeconds: number | undefined
  readonly deserializeSeconds: number | undefined
  /** Queries of warm-up and of the timed part. */
  readonly warmUpQueries: number | undefined
  readonly timedQueries: number | undefined
  readonly throughputPerSecond: number | undefined
  readonly summaries: Readonly<Partial<Record<TrtexecQuantity, TrtexecSummary>>>
  /** Whole sentences, each once: lines that go on are joined. */
  readonly warnings: readonly string[]
  readonly errors: readonly string[]
  /** Lines of no known form: they are kept, nothing fails because of them. */
  readonly unknown: readonly string[]
}

/** How serious a line is; `undefined` for a line without a mark. */
export type TrtexecLevel = 'verbose' | 'info' | 'warning' | 'error' | undefined

/** One line, taken apart. */
export interface TrtexecLine {
  readonly level: TrtexecLevel
  readonly text: string
  /** The inference has begun, or is over. */
  readonly event?: 'inference started' | 'inference ended'
}

/** A hostile log may have any length: this much of it is kept. */
const MOST_WARNINGS = 100
const MOST_ERRORS = 100
const MOST_UNKNOWN = 200
const LONGEST_KEPT = 1000

const levels: Readonly<Record<string, TrtexecLevel>> = { V: 'verbose', I: 'info', W: 'warning', E: 'error', F: 'error' }
// Lines of several threads run into each other: the moment may stand there several times.
const markedLine = /^(?:\[\d\d\/\d\d\/\d{4}-\d\d:\d\d:\d\d\] *)*\[([VIWEF])\](?: ?(.*))?$/
const numberText = String.raw`(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)`
const one = (before: string, after = '') => new RegExp(`${before}${numberText}${after}`, 'i')

const throughput = one('^throughput: ', ' qps')
const warmUp = one('^Warmup completed ', ' queries')
const timed = one('^Timing trace has ', ' queries')
const built = one('^Engine built in ', ' sec')
const generated = one('Engine generation completed in ', ' seconds')
const loaded = one('^Engine loaded in ', ' sec')
const deserialized = one('^Engine deserialized in ', ' sec')
const createdSize = one('^Created engine with size: ', ' (MiB|MB|GiB|KiB|B)')
const loadedSize = one('Loaded engine size: ', ' (MiB|MB|GiB|KiB|B)')
/** trtexec counts in powers of two and calls the unit MB in older versions. */
const unitBytes: Readonly<Record<string, number>> = { b: 1, kib: 2 ** 10, mb: 2 ** 20, mib: 2 ** 20, gib: 2 ** 30 }

const summaryNames: Readonly<Record<string, TrtexecQuantity>> = {
  latency: 'latency',
  'end-to-end host latency': 'endToEnd',
  'enqueue time': 'enqueue',
  'h2d latency': 'h2d',
  'gpu compute time': 'compute',
  'd2h latency': 'd2h',
}
const summaryLine = /^(Latency|End-to-End Host Latency|Enqueue Time|H2D Latency|GPU Compute Time|D2H Latency): (min = .*)$/i
/** TensorRT 7: a line with the name, then a line for each number. */
const blockNames: Readonly<Record<string, TrtexecQuantity>> = {
  'Host Latency': 'latency',
  'Enqueue Time': 'enqueue',
  'GPU Compute': 'compute',
}
const blockNumber = new RegExp(`^(min|max|mean|median|percentile): ${numberText} ms(?: at ${numberText}%)?`)
const blockEndToEnd = new RegExp(`\\(end to end ${numberText} ms(?: at ${numberText}%)?\\)`)

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type MutableSummary = Mutable<Omit<TrtexecSummary, 'percentiles'>> & { percentiles: Record<string, number> }

/**
 * Reads what trtexec prints, line by line, in the forms of TensorRT 7 to 11. Source of the forms: samples/common/sampleReporting.cpp,
 * sampleEngines.cpp and samples/trtexec/trtexec.cpp of NVIDIA/TensorRT, and recorded logs (tests/core/tensorrt/fixtures).
 */
export class TrtexecLogReader {
  readonly #facts: Mutable<Omit<TrtexecLog, 'summaries' | 'warnings' | 'errors' | 'unknown'>> = {
    version: undefined,
    outcome: undefined,
    gpu: undefined,
    computeCapability: undefined,
    engineBytes: undefined,
    buildSeconds: undefined,
    loadSeconds: undefined,
    deserializeSeconds: undefined,
    warmUpQueries: undefined,
    timedQueries: undefined,
    throughputPerSecond: undefined,
  }
  readonly #summaries: Partial<Record<TrtexecQuantity, MutableSummary>> = {}
  readonly #warnings: string[] = []
  readonly #errors: string[] = []
  readonly #unknown: string[] = []
  #block: TrtexecQuantity | undefined

  get log(): TrtexecLog {
    return {
      ...this.#facts,
      summaries: this.#summaries,
      warnings: [...new Set(this.#warnings)],
      errors: [...new Set(this.#errors)],
      unknown: this.#unknown,
    }
  }

  /** Takes one line, without its end. */
  read(raw: string): TrtexecLine {
    const line = raw.trimEnd()
    if (line.startsWith('&&&&')) return this.#banner(line)
    const marked = markedLine.exec(line)
    const level = marked ? levels[marked[1] as string] : /^\s*error\b/i.test(line) ? 'error' : undefined
    const text = (marked ? (marked[2] ?? '') : line).slice(0, LONGEST_KEPT)
    if (level === 'warning') keep(this.#warnings, text, MOST_WARNINGS)
    else if (level === 'error') keep(this.#errors, text, MOST_ERRORS)
    else if (level === undefined && text !== '' && this.#unknown.length < MOST_UNKNOWN) this.#unknown.push(text)
    // Some versions print the numbers without a mark.
    if (level === 'info' || level === undefined) this.#take(text.replace(/^\[TRT\] /, '').trim())
    const event = eventOf(text)
    return { level, text, ...(event && { event }) }
  }

  #banner(line: string): TrtexecLine {
    this.#facts.version ??= tensorRtVersion(line)
    if (line.startsWith('&&&& PASSED')) this.#facts.outcome = 'passed'
    if (line.startsWith('&&&& FAILED')) this.#facts.outcome = 'failed'
    return { level: undefined, text: line.slice(0, LONGEST_KEPT) }
  }

  #take(text: string): void {
    const number = (pattern: RegExp) => {
      const found = pattern.exec(text)?.[1]
      return found === undefined ? undefined : Number(found)
    }
    const size = (pattern: RegExp) => {
      const found = pattern.exec(text)
      return found ? Math.round(Number(found[1]) * (unitBytes[(found[2] as string).toLowerCase()] ?? 1)) : undefined
    }
    const facts = this.#facts
    facts.gpu = /^Selected Device: (.+)$/.exec(text)?.[1] ?? facts.gpu
    facts.computeCapability = /^Compute Capability: ([\d.]+)$/.exec(text)?.[1] ?? facts.computeCapability
    facts.engineBytes = size(createdSize) ?? size(loadedSize) ?? facts.engineBytes
    facts.buildSeconds = number(built) ?? facts.buildSeconds ?? number(generated)
    facts.loadSeconds = number(loaded) ?? facts.loadSeconds
    facts.deserializeSeconds = number(deserialized) ?? facts.deserializeSeconds
    facts.warmUpQueries = number(warmUp) ?? facts.warmUpQueries
    facts.timedQueries = number(timed) ?? facts.timedQueries
    facts.throughputPerSecond = number(throughput) ?? facts.throughputPerSecond
    const summary = summaryLine.exec(text)
    if (summary) {
      const name = summaryNames[(summary[1] as string).toLowerCase()]
      if (name) this.#summaries[name] = readSummary(summary[2] as string)
    }
    this.#takeBlock(text)
  }

  #takeBlock(text: string): void {
    if (Object.hasOwn(blockNames, text)) {
      this.#block = blockNames[text]
      return
    }
    const found = blockNumber.exec(text)
    if (!found || this.#block === undefined) return
    this.#enter(this.#block, found[1] as string, found[2] as string, found[3])
    const endToEnd = blockEndToEnd.exec(text)
    if (endToEnd) this.#enter('endToEnd', found[1] as string, endToEnd[1] as string, endToEnd[2])
  }

  #enter(quantity: TrtexecQuantity, name: string, value: string, percent: string | undefined): void {
    const summary = this.#summaries[quantity] ?? { percentiles: {} }
    this.#summaries[quantity] = summary
    if (name === 'percentile') {
      if (percent !== undefined) summary.percentiles[percent] = Number(value)
    } else summary[name as 'min' | 'max' | 'mean' | 'median'] = Number(value)
  }
}

/** A line that begins with blanks goes on with the sentence before it. */
function keep(sentences: string[], text: string, most: number): void {
  const last = sentences.length - 1
  if (/^\s{2,}\S/.test(text) && last >= 0) {
    sentences[last] = `${sentences[last]} ${text.trim()}`.slice(0, LONGEST_KEPT)
    return
  }
  const sentence = text
    .replace(/^\[TRT\] /, '')
    .replace(/^\* /, '')
    .trim()
  if (sentence !== '' && sentences.length < most) sentences.push(sentence)
}

function readSummary(text: string): MutableSummary {
  const summary: MutableSummary = { percentiles: {} }
  for (const [, name, value] of text.matchAll(new RegExp(`(min|max|mean|median) = ${numberText} ms`, 'g'))) {
    summary[name as 'min' | 'max' | 'mean' | 'median'] = Number(value)
  }
  for (const [, percent, value] of text.matchAll(new RegExp(`percentile\\(${numberText}%\\) = ${numberText} ms`, 'g'))) {
    summary.percentiles[percent as string] = Number(value)
  }
  return summary
}

function eventOf(text: string): TrtexecLine['event'] {
  if (/^Starting inference\b/.test(text)) return 'inference started'
  return /^Warmup completed \d/.test(text) ? 'inference ended' : undefined
}
