import { readFile } from 'node:fs/promises'
import { WIRE_LINE_LIMIT } from '../../contract/agent-wire.ts'
import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { EvaluateResult } from '../../contract/evaluation.ts'
import type { InferenceRuntime, LoadedModel } from '../../core/inference-runtime.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { type OpenDataset, openDataset } from '../datasets/open-dataset.ts'
import type { MeasureContext } from './benchmark.ts'
import { ClassificationRun } from './classification-run.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { type EvaluationTask, evaluationTask } from './evaluation-task.ts'
import { ParityRun } from './parity-run.ts'
import { RegressionRun } from './regression-run.ts'
import { type OutputBatch, runSamples } from './sample-outputs.ts'

/** What to evaluate on what. */
export interface EvaluateRequest {
  /** Path of a self-contained .onnx file. */
  readonly model: string
  readonly dataset: DatasetSource
  /** Another model whose outputs are compared with, sample by sample. */
  readonly baseline?: string | undefined
  /** Samples in one inference, where the models leave the batch open. */
  readonly batch: number
  readonly threads: number
}

/**
 * What the answers of a model on a dataset are worth, streamed by batches: accuracy with labels, errors with targets, and with a baseline how
 * far its outputs are from the baseline's. Memory: one batch of inputs and outputs, and a few numbers a sample.
 *
 * A model with a fixed batch gets that batch; its last one is filled up with the last sample, whose extra answers are not counted. Model and
 * baseline may have different fixed batches, and each gets the samples in the form of its own inputs.
 * A sample whose class scores hold NaN has no prediction (−1) and counts as wrong; the log says how many there were.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `DATASET_…` when the data does not fit the model,
 *   `MODEL_NOT_CLASSIFIER`, `EVALUATION_IMPOSSIBLE`, `TOO_LARGE`, `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function evaluate(request: EvaluateRequest, runtime: InferenceRuntime, context: MeasureContext): Promise<EvaluateResult> {
  const start = performance.now()
  const { reporter, systemRoot = '/' } = context
  const environment = readEnvironment(systemRoot, await readClockState(systemRoot), context.edgesmithVersion)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  const opened: Subject[] = []
  try {
    const model = await openSubject(request.model, request, runtime, opened)
    const baseline = request.baseline === undefined ? undefined : await openSubject(request.baseline, request, runtime, opened)
    const found = await evaluateSubjects(model, baseline, request, context)
    return { ...found, durationMs: performance.now() - start, environment }
  } finally {
    for (const { model, dataset } of opened) {
      await model.close()
      dataset.close()
    }
  }
}

/** A model with the dataset as its inputs take it. */
interface Subject {
  readonly model: LoadedModel
  readonly dataset: OpenDataset
}

/** Opens a model and the dataset for it, and adds both to what must be closed. */
async function openSubject(path: string, request: EvaluateRequest, runtime: InferenceRuntime, opened: Subject[]): Promise<Subject> {
  const model = await runtime.load(await readFile(path), { intraOpThreads: request.threads })
  try {
    const subject = { model, dataset: await openDataset(request.dataset, model.inputs) }
    opened.push(subject)
    return subject
  } catch (error) {
    await model.close()
    throw error
  }
}

async function evaluateSubjects(
  { model, dataset }: Subject,
  baseline: Subject | undefined,
  request: EvaluateRequest,
  { reporter, signal }: MeasureContext,
): Promise<Omit<EvaluateResult, 'durationMs' | 'environment'>> {
  const { sampleCount } = dataset
  checkSize(dataset, baseline !== undefined, request.dataset.name)
  const batch = Math.max(dataset.fixedBatch ?? 0, baseline?.dataset.fixedBatch ?? 0) || request.batch
  let runs: Runs | undefined
  for (let first = 0; first < sampleCount; first += batch) {
    const count = Math.min(batch, sampleCount - first)
    const outputs = await runSamples(model, dataset, first, count)
    throwIfCancelled(signal)
    const expected = baseline && (await runSamples(baseline.model, baseline.dataset, first, count))
    throwIfCancelled(signal)
    runs ??= startRuns(evaluationTask(outputs, dataset, request.dataset.name, baseline !== undefined), outputs, expected, dataset, request)
    if (first === 0 && runs.note !== null) reporter.log(runs.note)
    runs.main?.add(outputs)
    if (expected) runs.parity?.add(expected, outputs)
    reporter.progress({ phase: 'evaluate', done: first + count, total: sampleCount, unit: 'samples' })
  }
  return finishRuns(runs as Runs, sampleCount, (text) => reporter.log(text))
}

/** What is being collected. */
interface Runs {
  readonly task: EvaluationTask['task']
  readonly main: ClassificationRun | RegressionRun | undefined
  readonly parity: ParityRun | undefined
  readonly note: string | null
}

function startRuns(
  task: EvaluationTask,
  outputs: OutputBatch,
  expected: OutputBatch | undefined,
  dataset: OpenDataset,
  { dataset: { name } }: EvaluateRequest,
): Runs {
  const parityWith = (answer: ConstructorParameters<typeof ParityRun>[3]) =>
    expected && new ParityRun(dataset.sampleCount, expected.outputs, outputs.outputs, answer)
  if (task.task === 'classification') {
    return { task: task.task, main: new ClassificationRun(task.labels, task.output, name), parity: parityWith(task.output), note: null }
  }
  if (task.task === 'regression') {
    return { task: task.task, main: new RegressionRun(task.targets, task.output), parity: parityWith(null), note: null }
  }
  return { task: task.task, main: undefined, parity: parityWith(undefined), note: task.reason }
}

function finishRuns(
  { task, main, parity }: Runs,
  samples: number,
  log: (text: string) => void,
): Omit<EvaluateResult, 'durationMs' | 'environment'> {
  const classification = main instanceof ClassificationRun ? main.finish() : undefined
  const regression = main instanceof RegressionRun ? main.finish() : undefined
  const compared = parity?.finish()
  const unanswered = classification?.detail.unanswered ?? 0
  if (unanswered > 0) log(`${unanswered} of ${samples} samples have scores that are not numbers; they count as wrong.`)
  if (compared && compared.brokenValues > 0) {
    log(`${compared.brokenValues} values of outputs are not finite where the baseline's are; their samples count as −300 dB.`)
  }
  return {
    task,
    samples,
    metrics: { ...compared?.metrics, ...classification?.metrics, ...regression?.metrics },
    classification: classification?.detail ?? null,
    regression: regression?.detail ?? null,
    parity: compared?.detail ?? null,
    perSample: { ...compared?.perSample, ...classification?.perSample, ...regression?.perSample },
  }
}

/** Bytes of all per-sample arrays of four bytes that there may be: three of parity, two of answers, two of labels and confidence. */
const BYTES_PER_SAMPLE = 7 * 4

/** @throws EdgesmithError `TOO_LARGE` when the answers for all samples would not fit into one message (base64 takes four bytes for three) */
function checkSize({ sampleCount, targets }: OpenDataset, hasBaseline: boolean, name: string): void {
  const perSample = (hasBaseline ? BYTES_PER_SAMPLE : 12) + 8 * (targets?.width ?? 0)
  // A fiftieth is left for everything else in the message.
  const most = Math.floor((0.98 * 0.75 * WIRE_LINE_LIMIT) / perSample)
  if (sampleCount <= most) return
  throw new EdgesmithError(
    'TOO_LARGE',
    `${name} has ${sampleCount} samples; with what is kept of each, at most ${most} can be evaluated at once.`,
    {
      hint: 'Evaluate a split of the dataset.',
      details: { found: sampleCount, limit: most },
    },
  )
}
