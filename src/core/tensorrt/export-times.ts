/** Times of all queries of `--exportTimes`, in order; milliseconds since trtexec began, `latencyMs` and its parts are lengths. */
export interface ExportedTimes {
  readonly queries: number
  readonly startMs: Float64Array
  readonly endMs: Float64Array
  /** When the GPU began with it: decides what is warm-up. */
  readonly computeStartMs: Float64Array
  readonly latencyMs: Float64Array
  readonly h2dMs: Float64Array
  readonly computeMs: Float64Array
  readonly d2hMs: Float64Array
  /** Records without the times that are needed, or with values that are no numbers. */
  readonly unreadable: number
  /** Queries beyond the limit. */
  readonly leftOut: number
}

/** A record has 13 times of at most some 30 characters each. */
const LONGEST_RECORD = 4096
const FIRST_ROOM = 1024

const columnNames = ['startMs', 'endMs', 'computeStartMs', 'latencyMs', 'h2dMs', 'computeMs', 'd2hMs'] as const

/**
 * Reads the file of `--exportTimes` as it comes: an array of flat records, of which a million take some 300 MB. Version 7 calls the
 * copies `in` and `out` and has start of input and of enqueue the wrong way round, 8.0 to 8.4 have `endToEndMs` beside; 7.0 to 8.4 list
 * warm-up as well. Source: `exportJSONTrace` in samples/common/sampleReporting.cpp of NVIDIA/TensorRT.
 */
export class ExportTimesReader {
  readonly #most: number
  #columns = columnNames.map(() => new Float64Array(FIRST_ROOM))
  #queries = 0
  #unreadable = 0
  #leftOut = 0
  /** The record that is not closed yet. */
  #open: string | undefined

  /** @param most queries that are kept */
  constructor(most: number) {
    this.#most = most
  }

  /** Takes the next piece of the text. */
  read(piece: string): void {
    let at = 0
    while (at < piece.length) {
      if (this.#open === undefined) {
        const begin = piece.indexOf('{', at)
        if (begin < 0) return
        this.#open = ''
        at = begin + 1
      }
      const end = piece.indexOf('}', at)
      const rest = piece.slice(at, end < 0 ? undefined : end)
      if (this.#open.length <= LONGEST_RECORD) this.#open += rest.slice(0, LONGEST_RECORD + 1)
      if (end < 0) return
      this.#record(this.#open)
      this.#open = undefined
      at = end + 1
    }
  }

  get times(): ExportedTimes {
    const [startMs, endMs, computeStartMs, latencyMs, h2dMs, computeMs, d2hMs] = this.#columns.map((column) =>
      column.subarray(0, this.#queries),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]
    const counts = { queries: this.#queries, unreadable: this.#unreadable, leftOut: this.#leftOut }
    return { ...counts, startMs, endMs, computeStartMs, latencyMs, h2dMs, computeMs, d2hMs }
  }

  #record(text: string): void {
    const values = text.length > LONGEST_RECORD ? undefined : timesOf(text)
    if (!values) this.#unreadable++
    else if (this.#queries >= this.#most) this.#leftOut++
    else {
      if (this.#queries === (this.#columns[0] as Float64Array).length) this.#columns = this.#columns.map(doubled)
      for (const [index, column] of this.#columns.entries()) column[this.#queries] = values[index] as number
      this.#queries++
    }
  }
}

/** The columns' values of one record; `undefined` where one that is needed is missing or no number. */
function timesOf(text: string): number[] | undefined {
  const found = new Map<string, number>()
  for (const [, name, value] of text.matchAll(/"(\w{1,40})"\s*:\s*([-+.\w]{1,40})/g)) found.set(name as string, Number(value))
  const inMs = found.get('startInMs')
  const enqueuedMs = found.get('startEnqMs')
  const oldStart = inMs === undefined || enqueuedMs === undefined ? inMs : Math.min(inMs, enqueuedMs)
  const values = [
    found.get('startH2dMs') ?? oldStart ?? found.get('startComputeMs'),
    found.get('endD2hMs') ?? found.get('endOutMs') ?? found.get('endComputeMs'),
    found.get('startComputeMs'),
    found.get('latencyMs'),
    found.get('h2dMs') ?? found.get('inMs') ?? 0,
    found.get('computeMs'),
    found.get('d2hMs') ?? found.get('outMs') ?? 0,
  ]
  return values.every((value): value is number => value !== undefined && Number.isFinite(value) && value >= 0) ? values : undefined
}

function doubled(column: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(column.length * 2)
  larger.set(column)
  return larger
}
