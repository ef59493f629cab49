/** Texts a column remembers. More are no categories but free text or row names. */
export const MAX_CATEGORIES = 10_000

/** Words that stand for a missing number, as pandas writes and reads them. Among texts they are texts (NA is also Namibia). */
const NOT_AVAILABLE = new Set(['na', 'n/a', '#n/a', 'nan', '-nan', 'null', 'none', '<na>', '?', '-'])
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const DECIMAL_COMMA = /^[+-]?\d+,\d+$/

/**
 * A cell as a number; NaN when it is none. "1e3", "-.5" and " 7 " are numbers, "0x10" and "Infinity" are not.
 * @param comma "3,14" is read as well
 */
export function numberOf(cell: string, comma: boolean): number {
  if (DECIMAL.test(cell)) return Number(cell)
  return comma && DECIMAL_COMMA.test(cell) ? Number(cell.replace(',', '.')) : Number.NaN
}

/** True for an empty cell, and in columns of numbers for words such as NA. */
export function isMissing(cell: string, kind: 'number' | 'category'): boolean {
  return cell === '' || (kind === 'number' && NOT_AVAILABLE.has(cell.toLowerCase()))
}

/** How many texts all columns of a table remember together. */
export interface TextMemory {
  remembered: number
}

/** Beyond this, columns of nothing but numbers forget theirs: 10,000 columns of numbers would otherwise remember 100 million. */
const NUMBERS_FORGET = 1_000_000
/** Beyond this, every column does. */
const ALL_FORGET = 4_000_000

/** A cell that was noticed, and its line. */
export interface NotedCell {
  readonly line: number
  readonly text: string
}

/** What the cells of a column of a table are, gathered cell by cell in bounded memory. */
export class ColumnFacts {
  readonly name: string
  cells = 0
  /** Empty cells. */
  empty = 0
  firstEmpty: NotedCell | undefined
  /** Words for a missing number. */
  notAvailable = 0
  firstNotAvailable: NotedCell | undefined
  /** Numbers with a decimal point or none. */
  numbers = 0
  /** Numbers with a decimal comma, and those of them that cannot be thousands ("3,14", not "3,141"). */
  commaNumbers = 0
  sureCommaNumbers = 0
  points = 0
  /** Neither missing nor a number. */
  texts = 0
  firstText: NotedCell | undefined
  /** Of the numbers. */
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY
  whole = true
  /** 0, 1, 2 … from row to row: a row number. */
  counts = true
  private readonly memory: TextMemory
  private distinct: Map<string, number> | undefined = new Map()

  /** @param memory shared by the columns of a table */
  constructor(name: string, memory: TextMemory) {
    this.name = name
    this.memory = memory
  }

  /** @param cell without spaces around it */
  add(cell: string, line: number): void {
    this.cells++
    if (cell === '') {
      this.empty++
      this.firstEmpty ??= { line, text: cell }
      this.counts = false
      return
    }
    this.remember(cell)
    if (DECIMAL.test(cell)) {
      this.numbers++
      if (cell.includes('.')) this.points++
      this.addNumber(Number(cell))
    } else if (DECIMAL_COMMA.test(cell)) {
      this.commaNumbers++
      if (!/,\d{3}$/.test(cell)) this.sureCommaNumbers++
      this.firstText ??= { line, text: cell }
      this.addNumber(Number(cell.replace(',', '.')))
    } else if (NOT_AVAILABLE.has(cell.toLowerCase())) {
      this.notAvailable++
      this.firstNotAvailable ??= { line, text: cell }
      this.counts = false
    } else {
      this.texts++
      this.firstText ??= { line, text: cell }
      this.counts = false
    }
  }

  private addNumber(value: number): void {
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
    if (!Number.isInteger(value)) this.whole = false
    if (value !== this.cells - 1) this.counts = false
  }

  private remember(cell: string): void {
    const { distinct, memory } = this
    if (!distinct) return
    const seen = distinct.get(cell)
    distinct.set(cell, (seen ?? 0) + 1)
    if (seen !== undefined) return
    memory.remembered++
    const limit = this.texts === 0 ? NUMBERS_FORGET : ALL_FORGET
    if (distinct.size <= MAX_CATEGORIES && memory.remembered <= limit) return
    memory.remembered -= distinct.size
    this.distinct = undefined
  }

  /** How often each text occurs, numbers as they are written; `undefined` for more than {@link MAX_CATEGORIES}. */
  get occurrences(): ReadonlyMap<string, number> | undefined {
    return this.distinct
  }
}
