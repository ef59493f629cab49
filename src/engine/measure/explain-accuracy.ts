import { readFile } from 'node:fs/promises'
import type { AccuracyExplanation } from '../../contract/analysis.ts'
import type { DatasetSource } from '../../contract/dataset.ts'
import type { OutputDistance } from '../../core/explanation/accuracy-context.ts'
import { comparedLayers } from '../../core/explanation/compared-layers.ts'
import { explainAccuracy } from '../../core/explanation/explain-accuracy.ts'
import { DistanceSum, type TensorDistance } from '../../core/explanation/tensor-distance.ts'
import type { LoadedModel } from '../../core/inference-runtime.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { onnxRuntime } from '../runtimes/onnx-runtime.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import type { MeasureContext } from './benchmark.ts'
import { comparedAnswers } from './compared-answers.ts'
import { type ComparedFeeds, feedsOfDataset } from './compared-feeds.ts'
import { type ComparedModels, distancesOf, openComparedModels } from './compared-models.ts'

/** A build, its baseline, and the data on which it answers worse. */
export interface ExplainAccuracyRequest {
  /** Paths of self-contained .onnx files. */
  readonly baseline: string
  readonly model: string
  readonly dataset: DatasetSource
  /** Samples whose tensors are compared; answers are compared on all. */
  readonly samples: number
  readonly threads: number
}

/**
 * Says where a build's answers get worse than its baseline's: every activation that both have is compared on some samples, answers on
 * all of them (where the data has labels and the models give scores), and small rules look for causes.
 *
 * @throws EdgesmithError or CoreError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `DATASET_…`, `MODEL_RUN_FAILED`,
 *   `JOB_CANCELLED`
 */
export async function explainAccuracyOf(request: ExplainAccuracyRequest, context: MeasureContext): Promise<AccuracyExplanation> {
  context.reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  await startRuntime()
  const bytes = { baseline: await readFile(request.baseline), build: await readFile(request.model) }
  const found = await answersAndOutputs(bytes, request, context)
  const models = await openComparedModels(bytes)
  const distances = await distancesOf(models, found.feeds, context).finally(() => found.feeds.close())
  const layers = comparedLayers(models.baseline, models.build, models.tensors, distances)
  const outputs = { writtenDb: writtenDistance(models, distances), runDb: found.runDb }
  const reasons = explainAccuracy({ baseline: models.baseline, build: models.build, layers, outputs, answers: found.answers })
  return {
    ...reasons,
    samples: found.feeds.samples,
    accuracyDifference: reasons.answers?.difference ?? null,
    accuracyDifferenceCi95: reasons.answers?.differenceCi95 ?? null,
  }
}

/** What both models answer as a user's program would run them. Their memory is free again afterwards. */
async function answersAndOutputs(
  bytes: { readonly baseline: Uint8Array; readonly build: Uint8Array },
  request: ExplainAccuracyRequest,
  { reporter, signal }: MeasureContext,
) {
  const { dataset, samples, threads } = request
  const baseline = await onnxRuntime.load(bytes.baseline, { intraOpThreads: threads })
  try {
    const build = await onnxRuntime.load(bytes.build, { intraOpThreads: threads })
    try {
      const feeds = await feedsOfDataset(dataset, { baseline: baseline.inputs, build: build.inputs }, samples)
      const opened = { baseline: await openDataset(dataset, baseline.inputs), build: await openDataset(dataset, build.inputs) }
      const total = opened.baseline.sampleCount
      const answers = await comparedAnswers(
        { model: baseline, dataset: opened.baseline },
        { model: build, dataset: opened.build },
        dataset.name,
        (done) => {
          throwIfCancelled(signal)
          reporter.progress({ phase: 'compare answers', done, total, unit: 'samples' })
        },
      )
      opened.baseline.close()
      opened.build.close()
      return { feeds, answers, runDb: await runDistance(baseline, build, feeds, signal) }
    } finally {
      await build.close()
    }
  } finally {
    await baseline.close()
  }
}

/** Of the worst output, both models run as written; as good as the same where no output was compared. */
function writtenDistance({ baseline }: ComparedModels, distances: ReadonlyMap<string, TensorDistance>): OutputDistance['writtenDb'] {
  const known = baseline.graph.outputs.flatMap(({ name }) => distances.get(name)?.sqnrDb ?? [])
  return worst(known)
}

/** Of the worst output, both models run with all optimizations. */
async function runDistance(baseline: LoadedModel, build: LoadedModel, feeds: ComparedFeeds, signal: AbortSignal): Promise<number | null> {
  const sums = baseline.outputs.map(({ name }) => ({ name, sum: new DistanceSum(undefined) }))
  for (let index = 0; index < feeds.feeds; index++) {
    const feed = await feeds.read(index)
    const [expected, found] = [await baseline.run(feed.baseline), await build.run(feed.build)]
    for (const { name, sum } of sums) sum.add(expected, name, found, name)
    throwIfCancelled(signal)
  }
  return worst(sums.flatMap(({ sum }) => sum.result()?.sqnrDb ?? []))
}

function worst(ratios: readonly number[]): number | null {
  return ratios.length > 0 ? Math.min(...ratios) : null
}
