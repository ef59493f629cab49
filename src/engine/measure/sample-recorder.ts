/**
 * Samples of the first piece of memory: small, because a load has hundreds of recorders. Each further piece has twice as many, up to the
 * largest: large enough that a new piece is rare, small enough for boards.
 */
const FIRST_PIECE = 2 ** 10
const LARGEST_PIECE = 2 ** 15
/** float32 latency and float64 offset. */
export const BYTES_PER_SAMPLE = 12

/** Every sample in order. */
export interface Samples {
  readonly latenciesMs: Float32Array
  /** When each sample began (or was due), since the first. */
  readonly offsetsMs: Float64Array
}

/**
 * Takes samples one by one. It grows by pieces and copies nothing until the end: a copy in the middle of a measurement would take
 * milliseconds and show in memory.
 */
export class SampleRecorder {
  #count = 0
  #at = 0
  #size = FIRST_PIECE
  #latencies = new Float32Array(FIRST_PIECE)
  #begins = new Float64Array(FIRST_PIECE)
  readonly #full: { readonly latencies: Float32Array; readonly begins: Float64Array }[] = []

  get count(): number {
    return this.#count
  }

  /** Memory the samples fill: not the model's, so it is taken off what is said of the process. */
  get bytes(): number {
    return this.#count * BYTES_PER_SAMPLE
  }

  add(beginMs: number, latencyMs: number): void {
    if (this.#at === this.#size) this.#next()
    this.#begins[this.#at] = beginMs
    this.#latencies[this.#at++] = latencyMs
    this.#count++
  }

  /** @param zeroMs the moment offsets count from; default: the first sample */
  samples(zeroMs?: number): Samples {
    const latenciesMs = new Float32Array(this.#count)
    const offsetsMs = new Float64Array(this.#count)
    const last = { latencies: this.#latencies.subarray(0, this.#at), begins: this.#begins.subarray(0, this.#at) }
    let index = 0
    for (const { latencies, begins } of [...this.#full, last]) {
      latenciesMs.set(latencies, index)
      offsetsMs.set(begins, index)
      index += latencies.length
    }
    const zero = zeroMs ?? offsetsMs[0] ?? 0
    for (let i = 0; i < offsetsMs.length; i++) offsetsMs[i] = (offsetsMs[i] as number) - zero
    return { latenciesMs, offsetsMs }
  }

  #next(): void {
    this.#full.push({ latencies: this.#latencies, begins: this.#begins })
    this.#size = Math.min(2 * this.#size, LARGEST_PIECE)
    this.#latencies = new Float32Array(this.#size)
    this.#begins = new Float64Array(this.#size)
    this.#at = 0
  }
}

/**
 * Samples of several streams that ran beside each other as one series in the order they began; offsets count from the first of all.
 * @param streams offsets of all from the same moment, ascending in each
 */
export function mergeSamples(streams: readonly Samples[]): Samples {
  let merged = streams
  while (merged.length > 1) {
    const pairs: Samples[] = []
    for (let i = 0; i < merged.length; i += 2) {
      const [left, right] = [merged[i] as Samples, merged[i + 1]]
      pairs.push(right ? mergeTwo(left, right) : left)
    }
    merged = pairs
  }
  const { latenciesMs, offsetsMs } = merged[0] ?? new SampleRecorder().samples()
  const first = offsetsMs[0] ?? 0
  return { latenciesMs, offsetsMs: offsetsMs.map((offset) => offset - first) }
}

function mergeTwo(left: Samples, right: Samples): Samples {
  const count = left.offsetsMs.length + right.offsetsMs.length
  const latenciesMs = new Float32Array(count)
  const offsetsMs = new Float64Array(count)
  let l = 0
  let r = 0
  for (let i = 0; i < count; i++) {
    const fromLeft = (left.offsetsMs[l] ?? Number.POSITIVE_INFINITY) <= (right.offsetsMs[r] ?? Number.POSITIVE_INFINITY)
    const source = fromLeft ? left : right
    const at = fromLeft ? l++ : r++
    latenciesMs[i] = source.latenciesMs[at] as number
    offsetsMs[i] = source.offsetsMs[at] as number
  }
  return { latenciesMs, offsetsMs }
}
