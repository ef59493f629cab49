import { readFile } from 'node:fs/promises'
import type { EngineRequest, EngineResult } from '../../contract/engine-protocol.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { type NestedValues, nestedSample } from '../../core/datasets/nested-values.ts'
import type { InferenceRuntime, Port } from '../../core/inference-runtime.ts'
import { type OpenDataset, openDataset, openRawDataset } from '../datasets/open-dataset.ts'
import { ClassificationRun } from '../measure/classification-run.ts'
import { evaluationTask } from '../measure/evaluation-task.ts'
import { HttpConnection } from '../measure/http-connection.ts'
import { requestText } from '../measure/http-request.ts'
import { RegressionRun } from '../measure/regression-run.ts'
import type { OutputBatch } from '../measure/sample-outputs.ts'
import { answeredOutputs, type ServiceAnswer } from './answered-outputs.ts'

type Request = Extract<EngineRequest, { command: 'service-answers' }>
type Found = EngineResult<'service-answers'>

/** Samples of one request, unless they are large. */
const BATCH = 64
const MOST_BODY_CHARACTERS = 2_000_000
/** Requests that are answered for a load test. */
const KEPT_BODIES = 32
const KEPT_CHARACTERS = 4_000_000
/** A service that has not answered a batch by then is stuck. */
const TIMEOUT_MS = 60_000

/**
 * Sends samples of a dataset to a service, as its users would (`POST /predict/batch`), and finds what its answers are worth: with the same
 * code as an evaluation, so that both can be compared.
 *
 * @returns `task` null where the dataset has no labels or targets, or the answers do not fit them; `reason` says which
 * @throws EdgesmithError `SERVICE_NOT_RUNNING` when it does not answer, `SERVICE_REFUSED` when it answers something else than predictions;
 *   what opening the dataset throws
 */
export async function serviceAnswers(request: Request, runtime: InferenceRuntime, reporter: JobReporter): Promise<Found> {
  const model = await runtime.load(await readFile(request.modelPath), { optimization: 'disabled' })
  const { inputs, outputs } = model
  await model.close()
  const dataset = await (request.raw ? openRawDataset : openDataset)(request.source, inputs)
  const connection = await connect(request.port)
  try {
    return await askAll(request, dataset, outputs, connection, reporter)
  } finally {
    connection.close()
    dataset.close()
  }
}

async function askAll(
  { samples, token, port, source }: Request,
  dataset: OpenDataset,
  outputs: readonly Port[],
  connection: HttpConnection,
  reporter: JobReporter,
): Promise<Found> {
  const count = Math.min(samples, dataset.sampleCount)
  // Spread over all of it: files are often sorted by class.
  const indices = Array.from({ length: count }, (_, index) => Math.floor((index * dataset.sampleCount) / count))
  const judge = new Judge(dataset, indices, source.name)
  const bodies: string[] = []
  let kept = 0
  for (let first = 0; first < count; ) {
    const batch: string[] = []
    for (let size = 0; first + batch.length < count && batch.length < BATCH && (batch.length === 0 || size < MOST_BODY_CHARACTERS); ) {
      const sample = JSON.stringify(sampleOf(dataset, indices[first + batch.length] as number))
      batch.push(sample)
      size += sample.length
      const body = `{"inputs":${sample}}`
      if (bodies.length >= KEPT_BODIES || kept + body.length > KEPT_CHARACTERS) continue
      bodies.push(body)
      kept += body.length
    }
    const text = `{"inputs":[${batch.join(',')}]}`
    const answers = await ask(connection, requestText({ port, token }, 'POST', '/predict/batch', text), batch.length)
    judge.add(answeredOutputs(answers, outputs, first))
    first += batch.length
    reporter.progress({ phase: 'asking the service', done: first, total: count, unit: 'samples' })
  }
  return { ...judge.finish(), indices, bodies }
}

function sampleOf(dataset: OpenDataset, index: number): Record<string, NestedValues> {
  return Object.fromEntries(Object.entries(dataset.batch(index, 1)).map(([name, tensor]) => [name, nestedSample(tensor)]))
}

async function connect(port: number): Promise<HttpConnection> {
  try {
    return await HttpConnection.open(port)
  } catch (error) {
    throw new EdgesmithError('SERVICE_NOT_RUNNING', `The service cannot be reached: ${error instanceof Error ? error.message : error}`)
  }
}

async function ask(connection: HttpConnection, request: string, count: number): Promise<readonly ServiceAnswer[]> {
  const timeout = setTimeout(() => connection.close(), TIMEOUT_MS)
  let answer: { readonly status: number; readonly body: Buffer }
  try {
    answer = await connection.send(Buffer.from(request))
  } catch (error) {
    throw new EdgesmithError('SERVICE_NOT_RUNNING', `The service did not answer: ${error instanceof Error ? error.message : error}`)
  } finally {
    clearTimeout(timeout)
  }
  const text = answer.body.toString('utf8')
  if (answer.status !== 200) throw refused(`it answered ${answer.status}: ${text.slice(0, 300)}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw refused('its answer is not JSON')
  }
  const results = typeof parsed === 'object' && parsed !== null && 'results' in parsed ? parsed.results : undefined
  if (!Array.isArray(results) || results.length !== count || !results.every(isAnswer)) {
    throw refused(`its answer has no list "results" of ${count} answers with "outputs": ${text.slice(0, 300)}`)
  }
  return results
}

function isAnswer(value: unknown): value is ServiceAnswer {
  const outputs = typeof value === 'object' && value !== null && 'outputs' in value ? value.outputs : undefined
  return typeof outputs === 'object' && outputs !== null && !Array.isArray(outputs)
}

function refused(what: string): EdgesmithError {
  return new EdgesmithError('SERVICE_REFUSED', `The service did not predict samples of the dataset: ${what}`, {
    hint: 'The dataset must fit what the service takes: its /docs page says what that is.',
  })
}

/** What the answers are worth. The first batch decides what is asked. */
class Judge {
  readonly #dataset: Pick<OpenDataset, 'labels' | 'targets'>
  readonly #name: string
  #run: ClassificationRun | RegressionRun | undefined
  #reason: string | null = null

  constructor({ labels, targets }: OpenDataset, indices: readonly number[], name: string) {
    this.#name = name
    this.#dataset = {
      labels: labels && Int32Array.from(indices, (index) => labels[index] as number),
      targets: targets && {
        width: targets.width,
        values: Float32Array.from({ length: indices.length * targets.width }, (_, at) => {
          const [sample, value] = [Math.floor(at / targets.width), at % targets.width]
          return targets.values[(indices[sample] as number) * targets.width + value] as number
        }),
      },
    }
  }

  add(batch: OutputBatch): void {
    if (batch.first === 0) this.#begin(batch)
    this.#run?.add(batch)
  }

  finish(): Pick<Found, 'task' | 'reason' | 'accuracy' | 'r2' | 'rmse'> {
    const run = this.#run
    if (!run) return { task: null, reason: this.#reason, accuracy: null, r2: null, rmse: null }
    const { accuracy = null, r2 = null, rmse = null } = run.finish().metrics
    return { task: run instanceof ClassificationRun ? 'classification' : 'regression', reason: null, accuracy, r2, rmse }
  }

  #begin(batch: OutputBatch): void {
    const { labels, targets } = this.#dataset
    if (!labels && !targets) {
      this.#reason = `${this.#name} has neither labels nor targets`
      return
    }
    const task = evaluationTask(batch, this.#dataset, this.#name, false)
    if (task.task === 'classification') this.#run = new ClassificationRun(task.labels, task.output, this.#name)
    if (task.task === 'regression') this.#run = new RegressionRun(task.targets, task.output)
  }
}
