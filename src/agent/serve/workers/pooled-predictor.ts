import type { LoadedModel, NamedTensors } from '../../../core/inference-runtime.ts'
import { abandonedRequest } from '../abandoned-request.ts'
import { outputsTooLarge, tensorBytes } from '../answer-size.ts'
import { type BatchRows, batchFeeds, rowsOf } from '../batch-feeds.ts'
import type { ModelSignature } from '../model-signature.ts'
import type { Asker, InferenceMeter, Predictor, RunPart } from '../predictor.ts'
import { SharingGain } from './sharing-gain.ts'

/** Samples in one run of a model with an open batch; more are hardly faster, and take their memory in every thread. */
const MOST_SAMPLES_IN_RUN = 32

/** A request on its way through runs. */
interface Waiting extends BatchRows {
  readonly asker: Asker
  /** Of the outputs of all its runs. */
  readonly mostBytes: number
  readonly since: number
  readonly resolve: (parts: readonly RunPart[]) => void
  readonly reject: (error: unknown) => void
  /** Rows that were given to runs. */
  taken: number
  /** Rows of runs that have ended. */
  finished: number
  /** Outputs of runs that have ended and are its alone. */
  bytes: number
  isSettled: boolean
  /** In the order of the rows. */
  readonly parts: RunPart[]
}

/** What a run is made of: rows of one request, or several requests whole. */
interface PlannedRun {
  readonly pieces: readonly Piece[]
  /** Others waited that it could have been shared with. */
  readonly wasDecided: boolean
}

interface StartedRun {
  readonly feeds: NamedTensors
  readonly rows: number
  readonly requests: readonly Waiting[]
  readonly wasDecided: boolean
}

/** Rows of a request that are in one run; `index` is their place among its parts. */
interface Piece {
  readonly request: Waiting
  readonly first: number
  readonly count: number
  readonly index: number
}

/**
 * Runs requests on a model that runs in threads: as many runs at once as there are threads, what comes meanwhile waits in a queue. Requests
 * with many samples are cut into runs that go to all threads, and take turns with others, so that nobody waits for a whole long request.
 * Requests that wait share runs where that is faster (see {@link SharingGain}); a shared run that fails is repeated request by request.
 */
export function createPooledPredictor(model: LoadedModel, signature: ModelSignature, meter: InferenceMeter, workers: number): Predictor {
  const pool = new PooledPredictor(model, signature, meter, workers)
  return {
    signature,
    get depth() {
      return pool.depth
    },
    predict: (samples, asker, mostBytes) => pool.predict({ rows: samples.length, samples, feeds: null }, asker, mostBytes),
    predictTensors: (feeds, asker, mostBytes) => pool.predict({ rows: rowsOf(feeds, signature), samples: [], feeds }, asker, mostBytes),
  }
}

class PooledPredictor {
  depth = 0
  readonly #model: LoadedModel
  readonly #signature: ModelSignature
  readonly #meter: InferenceMeter
  readonly #workers: number
  /** Rows of several requests, or some rows of one tensor, can make a run. */
  readonly #canStack: boolean
  readonly #gain = new SharingGain(MOST_SAMPLES_IN_RUN)
  readonly #queue: Waiting[] = []
  #waitingRows = 0
  #running = 0

  constructor(model: LoadedModel, signature: ModelSignature, meter: InferenceMeter, workers: number) {
    this.#model = model
    this.#signature = signature
    this.#meter = meter
    this.#workers = workers
    // Sizes left open may differ from sample to sample: those cannot share a run.
    this.#canStack = signature.batching.kind === 'open' && signature.inputs.every(({ sampleShape }) => !sampleShape.includes(undefined))
  }

  predict(rows: BatchRows, asker: Asker, mostBytes = Number.POSITIVE_INFINITY): Promise<readonly RunPart[]> {
    return new Promise((resolve, reject) => {
      this.depth += rows.rows
      this.#waitingRows += rows.rows
      const since = performance.now()
      this.#queue.push({ ...rows, asker, mostBytes, since, resolve, reject, taken: 0, finished: 0, bytes: 0, isSettled: false, parts: [] })
      this.#giveWork()
    })
  }

  #giveWork(): void {
    while (this.#running < this.#workers && this.#queue.length > 0) {
      const run = this.#takeRun()
      if (run === null) continue
      this.#running++
      void this.#runPlanned(run).then(() => {
        this.#running--
        this.#giveWork()
      })
    }
  }

  /** The next run; null when nobody waits any more for the request whose turn it is. */
  #takeRun(): PlannedRun | null {
    const first = this.#queue.shift() as Waiting
    if (this.#isGone(first)) return null
    const piece = this.#take(first, this.#rowsFor(first))
    // The rest of a long request comes after those that wait already.
    if (first.taken < first.rows) this.#queue.push(first)
    const pieces = [piece]
    const wasDecided = this.#canStack && first.rows === 1 && this.#nextRows() === 1
    const shares = this.#canStack && piece.count === first.rows && this.#queue.length > 0 && (!wasDecided || this.#gain.decide())
    if (!shares) return { pieces, wasDecided }
    // Each of the other threads finds something to do as well.
    const bound = Math.min(Math.ceil((this.#waitingRows + piece.count) / this.#workers), this.#gain.rows)
    let rows = piece.count
    for (let next = this.#nextRows(); next > 0 && rows + next <= bound; next = this.#nextRows()) {
      pieces.push(this.#take(this.#queue.shift() as Waiting, next))
      rows += next
    }
    return { pieces, wasDecided }
  }

  /** Rows of the next request that waits and can share a run whole; 0 where there is none. */
  #nextRows(): number {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (!this.#isGone(next)) return next.taken > 0 ? 0 : next.rows
      this.#queue.shift()
    }
    return 0
  }

  #rowsFor({ rows, taken, feeds }: Waiting): number {
    const { batching } = this.#signature
    const left = rows - taken
    if (this.#canStack) return Math.min(left, this.#gain.rows, Math.ceil(rows / this.#workers))
    // Tensors are run as they came: they fill a run by themselves.
    if (feeds !== null) return left
    return batching.kind === 'fixed' ? Math.min(left, batching.size) : 1
  }

  #take(request: Waiting, count: number): Piece {
    const piece = { request, first: request.taken, count, index: request.parts.length }
    request.taken += count
    this.#waitingRows -= count
    request.parts.push({ run: { outputs: {}, rows: undefined }, first: 0, count: 0 })
    return piece
  }

  /** Whether nothing of a request needs to be run any more; whoever waits for nothing is told so. */
  #isGone(request: Waiting): boolean {
    if (!request.isSettled && request.asker.isOver()) this.#fail(request, abandonedRequest())
    if (!request.isSettled) return false
    this.#waitingRows -= request.rows - request.taken
    request.taken = request.rows
    return true
  }

  async #runPlanned({ pieces, wasDecided }: PlannedRun): Promise<void> {
    const [only] = pieces
    try {
      if (pieces.length === 1 && only) await this.#runOne(only, wasDecided)
      else await this.#runTogether(pieces, wasDecided)
    } catch (error) {
      if (pieces.length === 1 && only) this.#fail(only.request, error)
      else for (const piece of pieces) await this.#runPlanned({ pieces: [piece], wasDecided: false })
    }
  }

  async #runOne(piece: Piece, wasDecided: boolean): Promise<void> {
    const { request, first, count } = piece
    const { batching } = this.#signature
    const isWhole = !this.#canStack && request.feeds !== null
    const rows = batching.kind === 'fixed' ? batching.size : count
    const feeds = isWhole ? (request.feeds as NamedTensors) : batchFeeds([request], this.#signature, { first, count, rows })
    const outputs = await this.#run({ feeds, rows: count, requests: [request], wasDecided })
    request.bytes += tensorBytes(outputs)
    if (request.bytes > request.mostBytes && count < request.rows) throw outputsTooLarge(request.bytes, request.mostBytes)
    const outputRows = batching.kind === 'single' ? undefined : isWhole ? count : rows
    this.#done(piece, { run: { outputs, rows: outputRows }, first: 0, count: outputRows === undefined ? 1 : count })
  }

  async #runTogether(pieces: readonly Piece[], wasDecided: boolean): Promise<void> {
    const requests = pieces.map(({ request }) => request)
    const rows = pieces.reduce((sum, { count }) => sum + count, 0)
    const outputs = await this.#run({
      feeds: batchFeeds(requests, this.#signature, { first: 0, count: rows, rows }),
      rows,
      requests,
      wasDecided,
    })
    const run = { outputs, rows }
    let first = 0
    for (const piece of pieces) {
      this.#done(piece, { run, first, count: piece.count })
      first += piece.count
    }
  }

  /** One run for some requests, counted. */
  async #run({ feeds, rows, requests, wasDecided }: StartedRun): Promise<NamedTensors> {
    const start = performance.now()
    const outputs = await this.#model.run(feeds)
    const ms = performance.now() - start
    this.#gain.ran(rows, ms, wasDecided)
    const waited = requests.reduce((sum, { since }) => sum + (start - since), 0)
    this.#meter.ran(rows, requests.length, waited, ms * requests.length)
    return outputs
  }

  #done({ request, index, count }: Piece, part: RunPart): void {
    request.parts[index] = part
    request.finished += count
    if (request.finished < request.rows || request.isSettled) return
    this.#settle(request)
    request.resolve(request.parts)
  }

  #fail(request: Waiting, error: unknown): void {
    if (request.isSettled) return
    this.#settle(request)
    request.reject(error)
  }

  #settle(request: Waiting): void {
    request.isSettled = true
    this.depth -= request.rows
  }
}
