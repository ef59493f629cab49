import { randomUUID } from 'node:crypto'
import type { Explanation } from '../../contract/analysis.ts'
import type { Dataset } from '../../contract/dataset.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { EvaluateResult } from '../../contract/evaluation.ts'
import type { BenchResult, BenchSettings, Comparison, ComparisonRow, Speedup } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { sharedHistogram } from '../../core/statistics/histogram.ts'
import { accuracyDifference } from '../../core/statistics/mcnemar.ts'
import { metricDifference } from '../../core/statistics/metric-difference.ts'
import { median } from '../../core/statistics/percentiles.ts'
import { BOOTSTRAP_SEED, beyondNoise, speedup } from '../../core/statistics/speedup.ts'
import { requireScenario } from '../../engine/measure/scenario-settings.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { evaluateOn, explainOn, type ReadyDevice, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { measureInterleaved, poolBlocks } from './interleaved-benchmark.ts'
import { measurementKey } from './measure.ts'
import { recipeTitle } from './optimize.ts'

/** Bins of the latency distributions; enough to show two modes, few enough to read. */
const HISTOGRAM_BINS = 60

const OTHER_RUNTIME =
  'Accuracy was measured with ONNX Runtime on the processor of the device; the answers of the TensorRT engine may differ, most where it computes in half precision.'

/** Comparisons: accuracy of each model on the same samples, latency in interleaved blocks, all on one device in one job. */
export function compareHandlers(services: Services): HandlersOf<'compare'> & HandlersOf<'comparisons'> {
  return {
    'compare.start': (input) => {
      requireScenario(input.settings)
      const baseline = services.models.get(input.baselineId)
      const others = [...new Set(input.modelIds)].filter((id) => id !== baseline.id).map((id) => services.models.get(id))
      if (input.datasetId) services.datasets.get(input.datasetId)
      const device = services.devices.get(input.deviceId)
      if (others.length === 0) {
        throw new EdgesmithError('USAGE', 'Choose at least one model besides the baseline', {
          hint: 'How much the machine itself varies is measured beside another model: control measures the baseline against itself.',
        })
      }
      const jobId = services.queue.start({
        kind: 'compare.start',
        title: `Compare ${others.length === 1 ? others[0]?.name : `${others.length} models`} with ${baseline.name} on ${device.name}`,
        machine: { key: services.machineKey(device), mode: 'exclusive' },
        run: (context) => compareModels(services, [baseline, ...others], input, context),
      })
      return { jobId }
    },
    'comparisons.list': () => services.measurements.comparisons(),
  }
}

/**
 * Measures models against the first of them and stores the comparison. The caller holds the device alone.
 * @param models the baseline, then what is compared with it
 * @param baselineEvaluation the baseline's on the same dataset and device, when it is known already
 */
export async function compareModels(
  services: Services,
  models: readonly Model[],
  input: Pick<ProcedureArguments<'compare.start'>, 'datasetId' | 'deviceId' | 'settings' | 'blocks'> & {
    readonly control?: boolean
    readonly maxBlocks?: number | undefined
  },
  context: JobContext,
  baselineEvaluation?: EvaluateResult,
): Promise<Comparison> {
  const device = services.devices.get(input.deviceId)
  const dataset = input.datasetId ? services.datasets.get(input.datasetId) : null
  const ready = await readyDevice(services, device.id, { models, datasets: dataset ? [dataset] : [] }, context)

  const baseline = models[0] as Model
  const evaluations = dataset ? await evaluateEach(ready, models, dataset, input.settings.threads, context, baselineEvaluation) : []
  const measured = input.control ? [...models, baseline] : models
  const { blocks, warnings } = await measureInterleaved(ready, measured, input.settings, input.blocks, context, {
    most: input.maxBlocks ?? input.blocks,
    isEnough: ([first, ...others]) => others.every((own) => isSharp(speedupOfBlocks(first, own))),
  })
  const pooled = blocks.map((own) => poolBlocks(own, input.settings))
  const against = (own: readonly BenchResult[] | undefined) => speedupOfBlocks(blocks[0], own)
  const noiseFloor = input.control ? against(blocks[models.length]) : null
  const speedups = models.map((_, index) => (index === 0 ? null : beyondNoise(against(blocks[index]), noiseFloor)))
  // Kernels are profiled under ONNX Runtime: they say nothing about an engine of TensorRT.
  const tensorRt = input.settings.runtime === 'tensorrt'
  const slower = tensorRt ? [] : models.filter((_, index) => speedups[index]?.verdict === 'slower')
  const explanations = await explainEach(ready, baseline, slower, input.settings, context)
  const histograms = sharedHistogram(
    pooled.map((result) => result.latenciesMs),
    HISTOGRAM_BINS,
  )

  const comparisonId = randomUUID()
  const key = (model: Model) => measurementKey(context.jobId, model.id, device.id, comparisonId)
  const comparison: Comparison = {
    id: comparisonId,
    jobId: context.jobId,
    deviceId: device.id,
    device: device.name,
    datasetId: dataset?.id ?? null,
    dataset: dataset?.name ?? null,
    baseline: baseline.name,
    baselineId: baseline.id,
    settings: input.settings,
    environment: (pooled[0] as BenchResult).environment,
    noiseFloor,
    rows: [],
    createdAt: new Date().toISOString(),
  }
  services.measurements.transaction(() => {
    models.forEach((model, index) => {
      const result = pooled[index] as BenchResult
      const evaluation = evaluations[index] ?? null
      const reference = index > 0 ? (evaluations[0] ?? null) : null
      const benchmark = services.measurements.addBenchmark(key(model), result)
      const row: ComparisonRow = {
        modelId: model.id,
        model: model.name,
        sha256: model.sha256,
        kind: model.kind,
        recipe: model.recipe && recipeTitle(model.recipe),
        sizeBytes: model.sizeBytes,
        metrics: evaluation?.metrics ?? null,
        accuracyDifference: reference && evaluation ? accuracyAgainst(reference, evaluation) : null,
        metricDifference: reference && evaluation ? metricDifference(reference, evaluation) : null,
        latencyMs: result.latencyMs,
        histogram: { edgesMs: histograms.edges, counts: histograms.counts[index] as number[] },
        samples: result.samples,
        throughputPerSecond: result.throughputPerSecond,
        loadMs: result.loadMs,
        firstInferenceMs: result.firstInferenceMs,
        peakRssBytes: result.peakRssBytes,
        cpuMsPerInference: result.cpuMsPerInference,
        speedup: speedups[index] ?? null,
        blockMediansMs: (blocks[index] as BenchResult[]).map(({ latenciesMs }) => median(latenciesMs)),
        steadyRssBytes: result.steadyRssBytes,
        noise: result.noise,
        explanation: explanations.get(model.id) ?? null,
        benchmarkId: benchmark.id,
        evaluationId: evaluation && dataset ? services.measurements.addEvaluation(key(model), dataset, evaluation).id : null,
        warnings: [...warnings, ...noiseFloorWarning(noiseFloor), ...(tensorRt && dataset ? [OTHER_RUNTIME] : []), ...result.warnings],
      }
      comparison.rows.push(row)
    })
    services.measurements.addComparison(comparison)
  })
  for (const what of ['benchmarks', 'evaluations', 'comparisons'] as const) announce(services, what)
  return comparison
}

/** Why each of these builds is slower. An explanation that fails is only missing: the measurements stand without it. */
async function explainEach(
  ready: ReadyDevice,
  baseline: Model,
  builds: readonly Model[],
  settings: BenchSettings,
  context: JobContext,
): Promise<Map<string, Explanation>> {
  const found = new Map<string, Explanation>()
  const quiet: JobContext = { ...context, progress: () => {} }
  for (const [done, build] of builds.entries()) {
    throwIfCancelled(context.signal)
    context.progress({ phase: 'finding out what is slower', done, total: builds.length, unit: 'builds' })
    try {
      found.set(build.id, await explainOn(ready, baseline, build, settings, quiet))
    } catch (error) {
      throwIfCancelled(context.signal)
      context.log(`No explanation for ${build.name}: ${toErrorReport(error).message}`)
    }
  }
  return found
}

/** With `maxBlocks`, rounds go on until every ratio is known this well: half the width of its interval, as a factor. */
const SHARP_FACTOR = 1.04

function isSharp({ ci95: [low, high] }: Speedup): boolean {
  return Math.sqrt(high / low) <= SHARP_FACTOR
}

function speedupOfBlocks(baseline: readonly BenchResult[] | undefined, build: readonly BenchResult[] | undefined): Speedup {
  return speedup(samplesOf(baseline), samplesOf(build), BOOTSTRAP_SEED)
}

function samplesOf(blocks: readonly BenchResult[] | undefined): Float32Array[] {
  return (blocks ?? []).map((block) => block.latenciesMs)
}

/**
 * What each model's answers are worth on the dataset: accuracy or error where it has labels or targets; without them how far each build's
 * outputs are from the baseline's, which then has no evaluation of its own.
 */
async function evaluateEach(
  ready: ReadyDevice,
  models: readonly Model[],
  dataset: Dataset,
  threads: number,
  context: JobContext,
  baselineEvaluation: EvaluateResult | undefined,
): Promise<(EvaluateResult | null)[]> {
  const baseline = models[0] as Model
  const answered = dataset.report.labelled || dataset.report.targets !== null
  const evaluations: (EvaluateResult | null)[] = []
  for (const [index, model] of models.entries()) {
    if (index === 0 && !answered) evaluations.push(null)
    else if (index === 0 && baselineEvaluation) evaluations.push(baselineEvaluation)
    else {
      const found = await evaluateOn(ready, model, dataset, { threads, ...(!answered && { baseline }) }, context)
      // The device knows the baseline by its path alone.
      evaluations.push({ ...found, parity: found.parity && { ...found.parity, baselineModelId: baseline.id } })
    }
  }
  return evaluations
}

/** The paired comparison of two classifications; both saw the same samples in the same order. Null for other tasks. */
function accuracyAgainst(baseline: EvaluateResult, build: EvaluateResult): ComparisonRow['accuracyDifference'] {
  const { labels, predictions } = baseline.perSample
  const { predictions: found } = build.perSample
  if (!(labels instanceof Int32Array && predictions instanceof Int32Array && found instanceof Int32Array)) return null
  return accuracyDifference(labels, predictions, found)
}

/** The baseline came out different from itself: every verdict of this comparison is in doubt. */
function noiseFloorWarning(noiseFloor: Speedup | null): string[] {
  if (!noiseFloor || noiseFloor.verdict === 'no difference shown') return []
  return [
    `The baseline measured against itself came out ${noiseFloor.verdict} (ratio ${noiseFloor.estimate.toFixed(3)}): the machine changed during the comparison. Measure again, with more blocks.`,
  ]
}
