import type { LoadedModel, NamedTensors } from '../../core/inference-runtime.ts'
import { abandonedRequest } from './abandoned-request.ts'
import { outputsTooLarge, tensorBytes } from './answer-size.ts'
import { type BatchRows, batchFeeds, rowsOf } from './batch-feeds.ts'
import type { ModelSignature } from './model-signature.ts'
import type { Sample } from './predict-request.ts'
import { createPooledPredictor } from './workers/pooled-predictor.ts'

/**
 * Samples in one run of a model with an open batch, before anything is known of it: few enough that the event loop turns (health checks are
 * answered) between the runs of a long request. Small models get more: a run costs them some 20 µs whatever is in it.
 */
const FIRST_SAMPLES_IN_RUN = 32
const MOST_SAMPLES_IN_RUN = 256
/** A full run that takes less time than this is made twice as large; one that takes more than the other half as large. */
const SHORT_RUN_MS = 0.5
const LONG_RUN_MS = 4

/** What one run gave. */
export interface RunOutputs {
  readonly outputs: NamedTensors
  /** First dimension of the outputs; `undefined` when they have no batch dimension: then they are one answer whole. */
  readonly rows: number | undefined
}

/** The rows of a run that belong to one request. */
export interface RunPart {
  readonly run: RunOutputs
  readonly first: number
  readonly count: number
}

/** Counts runs. */
export interface InferenceMeter {
  /** @param queueMs and `computeMs` summed over the requests that shared the run */
  ran(rows: number, requests: number, queueMs: number, computeMs: number): void
}

/** Whoever asked; work for a request that is over is dropped. */
export interface Asker {
  isOver(): boolean
}

/**
 * Runs a loaded model for requests. All promises reject with EdgesmithError `MODEL_RUN_FAILED`, and with HttpError `RESPONSE_TOO_LARGE` when the
 * outputs of a request's runs, together, take more than `mostBytes` (no limit where left out).
 */
export interface Predictor {
  readonly signature: ModelSignature
  /** Samples that wait or are being run. */
  readonly depth: number
  /** Parts of one or several runs, all samples in order. */
  predict(samples: readonly Sample[], asker: Asker, mostBytes?: number): Promise<readonly RunPart[]>
  /** Tensors as the model takes them, batch dimension and all. */
  predictTensors(feeds: NamedTensors, asker: Asker, mostBytes?: number): Promise<readonly RunPart[]>
}

/** A request whose rows wait for a run. */
interface Waiting extends BatchRows {
  readonly asker: Asker
  /** Of the outputs of all its runs. */
  readonly mostBytes: number
  readonly since: number
  readonly resolve: (parts: readonly RunPart[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Runs requests on a model: batching, running. A model that runs in threads of its own (`loadPooledModel`) gets as many runs at once as it
 * has `workers`. Without, runs happen on the calling thread (ONNX Runtime's call blocks it), one after the other; between two of them other
 * requests get their turn.
 *
 * On the calling thread rows of all requests that arrived in one turn of the event loop share runs (micro-batching), where the model has an open batch: a run of
 * 40 samples of a small model takes little longer than one of a single sample. Nobody waits for a batch to fill. A run that fails is
 * repeated request by request, so that only those fail that cannot be run.
 */
export function createPredictor(model: LoadedModel, signature: ModelSignature, meter: InferenceMeter, workers = 0): Predictor {
  return workers > 0 ? createPooledPredictor(model, signature, meter, workers) : createOwnThreadPredictor(model, signature, meter)
}

function createOwnThreadPredictor(model: LoadedModel, signature: ModelSignature, meter: InferenceMeter): Predictor {
  const { batching } = signature
  // Sizes left open may differ from sample to sample: those cannot share a run.
  const stackable = signature.inputs.every(({ sampleShape }) => !sampleShape.includes(undefined))
  const shares = batching.kind === 'open' && stackable
  let samplesInRun = FIRST_SAMPLES_IN_RUN
  const chunkRows = () => (batching.kind === 'fixed' ? batching.size : shares ? samplesInRun : 1)
  const outputRows = (rows: number) => (batching.kind === 'single' ? undefined : rows)
  let queue: Waiting[] = []
  let depth = 0
  let isRunning = false

  /** One run for some requests, counted. */
  async function run(feeds: NamedTensors, rows: number, requests: readonly Waiting[]): Promise<NamedTensors> {
    const start = performance.now()
    const outputs = await model.run(feeds)
    const waited = requests.reduce((sum, { since }) => sum + (start - since), 0)
    const computeMs = performance.now() - start
    meter.ran(rows, requests.length, waited, computeMs * requests.length)
    if (rows === samplesInRun && computeMs < SHORT_RUN_MS) samplesInRun = Math.min(2 * samplesInRun, MOST_SAMPLES_IN_RUN)
    else if (computeMs > LONG_RUN_MS) samplesInRun = Math.max(samplesInRun / 2, FIRST_SAMPLES_IN_RUN)
    return outputs
  }

  async function runAlone(request: Waiting): Promise<void> {
    const parts: RunPart[] = []
    let bytes = 0
    try {
      for (let first = 0, count = 0; first < request.rows; first += count) {
        if (request.asker.isOver()) throw abandonedRequest()
        const most = chunkRows()
        count = Math.min(most, request.rows - first)
        const rows = batching.kind === 'fixed' ? most : count
        const outputs = await run(batchFeeds([request], signature, { first, count, rows }), count, [request])
        bytes += tensorBytes(outputs)
        if (bytes > request.mostBytes && count < request.rows) throw outputsTooLarge(bytes, request.mostBytes)
        parts.push({ run: { outputs, rows: outputRows(rows) }, first: 0, count })
      }
      done(request)
      request.resolve(parts)
    } catch (error) {
      done(request)
      request.reject(error)
    }
  }

  /** Tensors that fill a run by themselves are run as they are. */
  async function runWhole(feeds: NamedTensors, request: Waiting): Promise<void> {
    try {
      const outputs = await run(feeds, request.rows, [request])
      done(request)
      const rows = outputRows(request.rows)
      request.resolve([{ run: { outputs, rows }, first: 0, count: rows ?? 1 }])
    } catch (error) {
      done(request)
      request.reject(error)
    }
  }

  async function runTogether(requests: readonly Waiting[], rows: number): Promise<void> {
    try {
      const outputs = await run(batchFeeds(requests, signature, { first: 0, count: rows, rows }), rows, requests)
      const shared: RunOutputs = { outputs, rows }
      let first = 0
      for (const request of requests) {
        done(request)
        request.resolve([{ run: shared, first, count: request.rows }])
        first += request.rows
      }
    } catch (error) {
      if (requests.length > 1) for (const request of requests) await runAlone(request)
      else {
        done(requests[0] as Waiting)
        requests[0]?.reject(error)
      }
    }
  }

  /** Runs what waits, in the order it came; requests that arrive meanwhile join the next run. */
  async function runQueue(): Promise<void> {
    while (queue.length > 0) {
      const shared = takeRun(queue, samplesInRun)
      queue = queue.slice(shared.length)
      const wanted = shared.filter((request) => {
        if (!request.asker.isOver()) return true
        done(request)
        request.reject(abandonedRequest())
        return false
      })
      const [first] = wanted
      if (first === undefined) continue
      const rows = wanted.reduce((sum, request) => sum + request.rows, 0)
      if (rows > samplesInRun) await runAlone(first)
      else await runTogether(wanted, rows)
    }
    isRunning = false
  }

  function done({ rows }: Waiting): void {
    depth -= rows
  }

  function enqueue(request: Waiting): void {
    queue.push(request)
    if (isRunning) return
    isRunning = true
    // The rest of this turn's requests come before it.
    setImmediate(() => void runQueue())
  }

  const waiting = (rows: BatchRows, asker: Asker, mostBytes: number, start: (request: Waiting) => void) =>
    new Promise<readonly RunPart[]>((resolve, reject) => {
      depth += rows.rows
      start({ ...rows, asker, mostBytes, since: performance.now(), resolve, reject })
    })

  return {
    signature,
    get depth() {
      return depth
    },
    predict: (samples, asker, mostBytes = Number.POSITIVE_INFINITY) =>
      waiting({ rows: samples.length, samples, feeds: null }, asker, mostBytes, shares ? enqueue : (request) => void runAlone(request)),
    predictTensors: (feeds, asker, mostBytes = Number.POSITIVE_INFINITY) => {
      const rows = { rows: rowsOf(feeds, signature), samples: [], feeds }
      return waiting(rows, asker, mostBytes, shares ? enqueue : (request) => void runWhole(feeds, request))
    },
  }
}

/** Requests that share the next run; one with more rows than fit into a run comes alone. */
function takeRun(queue: readonly Waiting[], most: number): readonly Waiting[] {
  let rows = 0
  let taken = 0
  for (const request of queue) {
    if (taken > 0 && rows + request.rows > most) break
    rows += request.rows
    taken++
  }
  return queue.slice(0, taken)
}
