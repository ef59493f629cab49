/**
 * Hashes of samples, four 32-bit words each: the first 64 bits of its SHA-256, and the 64 bits of its difference hash (0 for what is no
 * picture, or one of a single tone).
 */
export type SampleHashes = Uint32Array

const WORDS = 4

/** Two samples that are the same or look alike. */
export interface SamplePair {
  readonly indexA: number
  readonly indexB: number
  readonly kind: 'equal' | 'similar'
}

/** What {@link findPairs} found. */
export interface PairsFound {
  /** Samples of b that equal one of a. */
  readonly equal: number
  /** Samples of b that equal none of a, and look like one. */
  readonly similar: number
  /** The first pairs of both kinds. */
  readonly examples: readonly SamplePair[]
}

/** Pairs whose difference hashes differ by so many of 64 bits look alike. */
const SIMILAR_BITS = 2
/** Bits of a band; 64 bits are 4 of them. */
const BAND_BITS = 16
/**
 * Two hashes that differ in at most 2 bits agree in at least 2 of 4 bands, whatever bits they are: each pair of bands is a key to look up.
 * 32 bits of key keep the groups small even where many hashes share their upper rows (a sky, a black border).
 */
const BAND_PAIRS: readonly (readonly [number, number])[] = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
]
/** Members of a group that are compared with one sample; beyond that all look the same to the hash, and a few hits say as much. */
const GROUP_LIMIT = 256

/**
 * Samples of b that also occur in a: by hash in one look-up each, and by their looks through bands. Time is linear in the number of samples; memory is
 * some 30 bytes a sample beside the hashes.
 *
 * @param a the same object as `b` to find samples that occur earlier in one set
 * @param exampleLimit examples that are kept, half of them for each kind where there are enough
 */
export function findPairs(a: SampleHashes, b: SampleHashes, exampleLimit: number): PairsFound {
  const same = a === b
  const count = b.length / WORDS
  const found = new Int32Array(count).fill(-1)
  const table = new RowTable(a.length / WORDS)
  if (!same) for (let row = 0; row < a.length / WORDS; row++) table.add(row, word(a, row, 0), (other) => equalAt(a, row, a, other))
  const pairs: { equal: SamplePair[]; similar: SamplePair[] } = { equal: [], similar: [] }
  let equal = 0
  for (let row = 0; row < count; row++) {
    const sameAs = (other: number) => equalAt(b, row, a, other)
    const other = same ? table.add(row, word(b, row, 0), sameAs) : table.find(word(b, row, 0), sameAs)
    if (other < 0) continue
    found[row] = other
    equal++
    if (pairs.equal.length < exampleLimit) pairs.equal.push({ indexA: other, indexB: row, kind: 'equal' })
  }
  const alike = similarRows(a, b, found)
  let similar = 0
  for (let row = 0; row < count; row++) {
    const other = alike[row] as number
    if (other < 0) continue
    similar++
    if (pairs.similar.length < exampleLimit) pairs.similar.push({ indexA: other, indexB: row, kind: 'similar' })
  }
  const equals = pairs.equal.slice(0, Math.max(exampleLimit - pairs.similar.length, Math.ceil(exampleLimit / 2)))
  return { equal, similar, examples: [...equals, ...pairs.similar.slice(0, exampleLimit - equals.length)] }
}

/** Samples that equal an earlier one. */
export function countRepeated(hashes: SampleHashes): number {
  const rows = hashes.length / WORDS
  const table = new RowTable(rows)
  let repeated = 0
  for (let row = 0; row < rows; row++) {
    if (table.add(row, word(hashes, row, 0), (other) => equalAt(hashes, row, hashes, other)) >= 0) repeated++
  }
  return repeated
}

/** For each row of b without an equal one, a row of a that looks like it, or −1. */
function similarRows(a: SampleHashes, b: SampleHashes, equal: Int32Array): Int32Array {
  const same = a === b
  const result = new Int32Array(equal.length).fill(-1)
  const rowsOfA = a.length / WORDS
  for (const bands of BAND_PAIRS) {
    // Rows of a in lists by key: the last of each in the table, the one before it in `before`.
    const last = new RowTable(rowsOfA)
    const before = new Int32Array(rowsOfA).fill(-1)
    const add = (row: number) => {
      if (!hasPicture(a, row)) return
      const key = bandKey(a, row, bands)
      before[row] = last.replace(row, key, (other) => bandKey(a, other, bands) === key)
    }
    if (!same) for (let row = 0; row < rowsOfA; row++) add(row)
    for (let row = 0; row < result.length; row++) {
      if (equal[row] !== -1 || !hasPicture(b, row)) continue
      if (result[row] === -1) {
        const key = bandKey(b, row, bands)
        const from = last.find(key, (other) => bandKey(a, other, bands) === key)
        result[row] = walk(a, b, row, from, before)
      }
      if (same) add(row)
    }
  }
  return result
}

function walk(a: SampleHashes, b: SampleHashes, row: number, from: number, before: Int32Array): number {
  let other = from
  for (let steps = 0; other >= 0 && steps < GROUP_LIMIT; steps++) {
    if (differingBits(a, other, b, row) <= SIMILAR_BITS) return other
    other = before[other] as number
  }
  return -1
}

function word(hashes: SampleHashes, row: number, index: number): number {
  return hashes[row * WORDS + index] as number
}

function equalAt(a: SampleHashes, rowA: number, b: SampleHashes, rowB: number): boolean {
  return word(a, rowA, 0) === word(b, rowB, 0) && word(a, rowA, 1) === word(b, rowB, 1)
}

function hasPicture(hashes: SampleHashes, row: number): boolean {
  return word(hashes, row, 2) !== 0 || word(hashes, row, 3) !== 0
}

function bandKey(hashes: SampleHashes, row: number, [one, other]: readonly [number, number]): number {
  return band(hashes, row, one) * 2 ** BAND_BITS + band(hashes, row, other)
}

function band(hashes: SampleHashes, row: number, index: number): number {
  const half = word(hashes, row, 2 + (index >> 1))
  return index % 2 === 0 ? half >>> BAND_BITS : half & 0xffff
}

function differingBits(a: SampleHashes, rowA: number, b: SampleHashes, rowB: number): number {
  return ones(word(a, rowA, 2) ^ word(b, rowB, 2)) + ones(word(a, rowA, 3) ^ word(b, rowB, 3))
}

/** Ones of a 32-bit word. Source: H. S. Warren, Hacker's Delight, 5-1. */
function ones(value: number): number {
  let sum = value - ((value >>> 1) & 0x55555555)
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333)
  sum = (sum + (sum >>> 4)) & 0x0f0f0f0f
  return Math.imul(sum, 0x01010101) >>> 24
}

/** Rows by a 32-bit hash, open addressing. */
class RowTable {
  private readonly slots: Int32Array
  private readonly mask: number

  constructor(rows: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(4, rows * 2)))
    this.slots = new Int32Array(size).fill(-1)
    this.mask = size - 1
  }

  /** The row that is the same, or −1. */
  find(hash: number, isSame: (row: number) => boolean): number {
    return this.slots[this.slotOf(hash, isSame)] as number
  }

  /** The row that was there and is the same; else −1, and `row` is there now. */
  add(row: number, hash: number, isSame: (row: number) => boolean): number {
    const slot = this.slotOf(hash, isSame)
    const other = this.slots[slot] as number
    if (other < 0) this.slots[slot] = row
    return other
  }

  /** The row that was there and is the same, or −1; `row` takes its place. */
  replace(row: number, hash: number, isSame: (row: number) => boolean): number {
    const slot = this.slotOf(hash, isSame)
    const other = this.slots[slot] as number
    this.slots[slot] = row
    return other
  }

  private slotOf(hash: number, isSame: (row: number) => boolean): number {
    // Fibonacci hashing: neighbouring keys must not lie beside each other.
    for (let slot = (Math.imul(hash, 0x9e3779b1) >>> 8) & this.mask; ; slot = (slot + 1) & this.mask) {
      const row = this.slots[slot] as number
      if (row < 0 || isSame(row)) return slot
    }
  }
}
