import type { PowerRail } from './power-rails.ts'
import { isPlausible } from './thermal-zones.ts'

/** Load (0 to 1) and clock (MHz) of a part; null: not told. */
interface PartLoad {
  readonly load: number | null
  readonly mhz: number | null
}

/** One line of `tegrastats`. What a board or version does not print is null or empty. */
export interface TegrastatsLine {
  /** As printed: `10-08-2026 04:38:21`. */
  readonly date: string | null
  readonly ram: { readonly usedBytes: number; readonly totalBytes: number } | null
  readonly swap: { readonly usedBytes: number; readonly totalBytes: number } | null
  /** One entry a core; null: switched off. */
  readonly cores: readonly (PartLoad | null)[]
  readonly gpu: PartLoad | null
  readonly memoryController: PartLoad | null
  /** Accelerators and the audio processor; on: not printed as `off`. */
  readonly engines: readonly (PartLoad & { readonly name: string; readonly on: boolean })[]
  /** Without sensors that are absent (-256 °C). */
  readonly temperatures: readonly { readonly name: string; readonly celsius: number }[]
  /** Power now; tegrastats prints its own average behind it. */
  readonly rails: readonly PowerRail[]
  /** Words that no rule knows, as they came. */
  readonly unknown: readonly string[]
}

/** An AGX Orin with all engines prints 900 characters. */
const LONGEST_LINE = 8192
const MOST_PARTS = 256

type Draft = { -readonly [K in keyof TegrastatsLine]: TegrastatsLine[K] extends readonly (infer E)[] ? E[] : TegrastatsLine[K] }
type Rule = readonly [RegExp, (line: Draft, found: RegExpExecArray) => void]

const UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }
/** `45%`, `45%@1300`, `45%@[1300,1295]`, `@1600`, `@[314,314]`, `729`, `off`; a clock may carry its unit. */
const LOAD = String.raw`(off|\d{1,3}%(?:@(?:\d{1,5}|\[[\d,]{1,60}\])(?:MHz)?)?|@(?:\d{1,5}|\[[\d,]{1,60}\])|\d{1,5})`

/** In the order they are tried at every word; each matches up to the next space or the end. */
const RULES: readonly Rule[] = [
  [
    /(\d{2}-\d{2}-\d{4} \d{2}:\d{2}:\d{2})(?= |$)/y,
    (line, found) => {
      line.date = found[1] as string
    },
  ],
  [
    /(RAM|SWAP) (\d{1,9})\/(\d{1,9})([kMG])B(?: ?\([^)]{0,40}\))?(?= |$)/y,
    (line, [, name, used, total, unit]) => {
      const bytes = UNITS[unit as string] as number
      line[name === 'RAM' ? 'ram' : 'swap'] = { usedBytes: Number(used) * bytes, totalBytes: Number(total) * bytes }
    },
  ],
  // On-chip memory says nothing of a run.
  [/IRAM \d{1,9}\/\d{1,9}[kMG]B ?(?:\([^)]{0,40}\))?(?= |$)/y, () => {}],
  [
    /CPU \[([^\]]{0,2000})\](?:@(\d{1,5}))?(?= |$)/iy,
    (line, found) => {
      const shared = found[2] === undefined ? null : Number(found[2])
      line.cores = (found[1] as string).split(',', MOST_PARTS).map((core) => {
        const load = /^\d/.test(core.trim()) ? partLoad(core.trim()) : null
        return load && { ...load, mhz: load.mhz ?? shared }
      })
    },
  ],
  [
    new RegExp(`GR3D(?:_FREQ)? ${LOAD}(?= |$)`, 'y'),
    (line, found) => {
      line.gpu = partLoad(found[1] as string)
    },
  ],
  [
    new RegExp(`EMC(?:_FREQ)? ${LOAD}(?= |$)`, 'y'),
    (line, found) => {
      line.memoryController = partLoad(found[1] as string)
    },
  ],
  // Load of a program that translates instructions (TX2's Denver cores).
  [/MTS fg \d{1,3}% bg \d{1,3}%(?= |$)/y, () => {}],
  [
    new RegExp(`([A-Z][A-Z0-9]{0,11}?)(?:_FREQ)? ${LOAD}(?= |$)`, 'y'),
    (line, found) => {
      const load = found[2] as string
      line.engines.push({ name: found[1] as string, on: load !== 'off', ...partLoad(load) })
    },
  ],
  [
    /([A-Za-z]\w{0,30})@(-?\d{1,3}(?:\.\d{1,3})?)C(?= |$)/y,
    (line, found) => {
      const celsius = Number(found[2])
      if (isPlausible(celsius)) line.temperatures.push({ name: found[1] as string, celsius })
    },
  ],
  [
    /([A-Za-z]\w{0,30}) (\d{1,7}(?:\.\d{1,3})?)(mW|W)?(?:\/\d{1,7}(?:\.\d{1,3})?(?:mW|W)?)?(?= |$)/y,
    (line, found) => {
      if (found[1] === 'NC') return
      line.rails.push({ name: found[1] as string, watts: Number(found[2]) / (found[3] === 'W' ? 1 : 1000) })
    },
  ],
]
const WORD = /\S{1,100}/y

/**
 * Reads a line of `tegrastats` of any JetPack (3 to 7). Never fails: what is not known is kept in `unknown`. Longer lines than 8 kB are cut.
 */
export function readTegrastats(text: string): TegrastatsLine {
  const line: Draft = {
    date: null,
    ram: null,
    swap: null,
    cores: [],
    gpu: null,
    memoryController: null,
    engines: [],
    temperatures: [],
    rails: [],
    unknown: [],
  }
  const source = text.slice(0, LONGEST_LINE)
  let at = 0
  for (let parts = 0; at < source.length && parts < MOST_PARTS; ) {
    if (/\s/.test(source[at] as string)) {
      at++
      continue
    }
    parts++
    at = applyRule(line, source, at)
  }
  return line
}

function applyRule(line: Draft, source: string, at: number): number {
  for (const [pattern, apply] of RULES) {
    pattern.lastIndex = at
    const found = pattern.exec(source)
    if (!found) continue
    apply(line, found)
    return pattern.lastIndex
  }
  WORD.lastIndex = at
  const word = WORD.exec(source)?.[0] ?? ''
  line.unknown.push(word)
  return at + Math.max(1, word.length)
}

/** Clocks of several parts of the GPU are averaged. */
function partLoad(text: string): PartLoad {
  const load = /^(\d{1,3})%/.exec(text)?.[1]
  const clocks = (/@\[?([\d,]+)/.exec(text)?.[1] ?? (/^\d+$/.test(text) ? text : ''))
    .split(',')
    .flatMap((clock) => (clock === '' ? [] : Number(clock)))
  return {
    load: load === undefined ? null : Math.min(1, Number(load) / 100),
    mhz: clocks.length > 0 ? clocks.reduce((sum, clock) => sum + clock, 0) / clocks.length : null,
  }
}
