import type { LoadedModel, NamedTensors, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementFormats } from './element-types.ts'
import type { ModelSignature } from './model-signature.ts'
import type { Sample } from './predict-request.ts'
import { type ClassNames, type SampleAnswer, splitOutputs } from './sample-outputs.ts'

/**
 * Samples in one run of a model with an open batch. Enough to be as fast as larger ones, few enough that the event loop turns (health
 * checks are answered) between the runs of a long request.
 */
const MOST_SAMPLES_IN_RUN = 32

/** Answers requests with a loaded model. */
export interface Predictor {
  readonly signature: ModelSignature
  /** One answer for each sample, in order. @throws EdgesmithError `MODEL_RUN_FAILED` */
  predict(samples: readonly Sample[]): Promise<SampleAnswer[]>
}

/** A request whose samples wait for a run. */
interface Waiting {
  readonly samples: readonly Sample[]
  readonly resolve: (answers: SampleAnswer[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Runs samples on a model: batching, running, splitting. Runs happen on the calling thread (ONNX Runtime's call blocks it), one
 * after the other; between two of them other requests get their turn.
 *
 * Samples of all requests that arrived in one turn of the event loop share runs (micro-batching), where the model has an open batch: a run of
 * 40 samples of a small model takes little longer than one of a single sample. Nobody waits for a batch to fill. A run that fails is
 * repeated request by request, so that only those fail that cannot be run.
 */
export function createPredictor(model: LoadedModel, signature: ModelSignature, names: ClassNames): Predictor {
  const order = model.outputs.map(({ name }) => name)
  const { batching } = signature
  // Sizes left open may differ from sample to sample: those cannot share a run.
  const stackable = signature.inputs.every(({ sampleShape }) => !sampleShape.includes(undefined))
  const shares = batching.kind === 'open' && stackable
  const chunk = batching.kind === 'fixed' ? batching.size : shares ? MOST_SAMPLES_IN_RUN : 1
  const filled = batching.kind === 'fixed'
  let queue: Waiting[] = []
  let isRunning = false

  async function run(samples: readonly Sample[]): Promise<SampleAnswer[]> {
    const rows = filled ? chunk : samples.length
    const outputs = await model.run(stack(samples, signature, rows))
    return splitOutputs(outputs, order, samples.length, batching.kind === 'single' ? undefined : rows, names)
  }

  async function runAlone({ samples, resolve, reject }: Pick<Waiting, 'samples' | 'resolve' | 'reject'>): Promise<void> {
    try {
      const answers: SampleAnswer[] = []
      for (let first = 0; first < samples.length; first += chunk) answers.push(...(await run(samples.slice(first, first + chunk))))
      resolve(answers)
    } catch (error) {
      reject(error)
    }
  }

  /** Runs what waits, in the order it came; requests that arrive meanwhile join the next run. */
  async function runQueue(): Promise<void> {
    isRunning = true
    while (queue.length > 0) {
      const { shared, samples } = takeRun(queue)
      queue = queue.slice(shared.length)
      if (samples === null) {
        await runAlone(shared[0] as Waiting)
        continue
      }
      try {
        const answers = await run(samples)
        let first = 0
        for (const request of shared) {
          const next = first + request.samples.length
          request.resolve(shared.length === 1 ? answers : answers.slice(first, next))
          first = next
        }
      } catch (error) {
        if (shared.length === 1) (shared[0] as Waiting).reject(error)
        else for (const request of shared) await runAlone(request)
      }
    }
    isRunning = false
  }

  return {
    signature,
    predict: (samples) =>
      new Promise<SampleAnswer[]>((resolve, reject) => {
        if (!shares) {
          void runAlone({ samples, resolve, reject })
          return
        }
        queue.push({ samples, resolve, reject })
        if (isRunning) return
        isRunning = true
        // The rest of this turn's requests come before it.
        setImmediate(() => void runQueue())
      }),
  }
}

/** Requests that share the next run, and their samples; `samples` is null for a request that takes several runs by itself. */
function takeRun(queue: readonly Waiting[]): { readonly shared: readonly Waiting[]; readonly samples: readonly Sample[] | null } {
  const [first] = queue as readonly [Waiting]
  if (first.samples.length > MOST_SAMPLES_IN_RUN) return { shared: [first], samples: null }
  const samples: Sample[] = []
  let taken = 0
  for (const request of queue) {
    if (samples.length + request.samples.length > MOST_SAMPLES_IN_RUN) break
    samples.push(...request.samples)
    taken++
  }
  return { shared: queue.slice(0, taken), samples }
}

/** Feeds of `rows` rows from samples; missing rows repeat the last sample. */
function stack(samples: readonly Sample[], { inputs }: ModelSignature, rows: number): NamedTensors {
  return Object.fromEntries(
    inputs.map(({ port: { name, type }, batched }) => {
      const first = (samples[0] as Sample)[name] as RuntimeTensor
      if (!batched) return [name, first]
      if (rows === 1) return [name, { type, dims: [1, ...first.dims], values: first.values }]
      const size = first.values.length
      const values = elementFormats[type]?.make(rows * size) as TensorValues
      for (let row = 0; row < rows; row++)
        copy((samples[Math.min(row, samples.length - 1)] as Sample)[name]?.values as TensorValues, values, row * size)
      return [name, { type, dims: [rows, ...first.dims], values }]
    }),
  )
}

function copy(from: TensorValues, to: TensorValues, offset: number): void {
  if (Array.isArray(to)) for (let i = 0; i < from.length; i++) to[offset + i] = from[i] as string
  else (to as Float32Array).set(from as Float32Array, offset)
}
