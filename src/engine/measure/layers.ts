import { readFile } from 'node:fs/promises'
import type { LayerComparison } from '../../contract/analysis.ts'
import type { DatasetSource } from '../../contract/dataset.ts'
import { compareLayers } from '../../core/explanation/compare-layers.ts'
import type { ModelProfile } from '../../core/explanation/model-profile.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { profileInterleaved } from '../runtimes/node-profile.ts'
import { onnxRuntime } from '../runtimes/onnx-runtime.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import type { MeasureContext } from './benchmark.ts'
import { clockWarnings, readClockState } from './clock-state.ts'
import { type ComparedFeeds, feedsOfDataset, madeUpFeeds } from './compared-feeds.ts'
import { distancesOf, openComparedModels } from './compared-models.ts'
import { readEnvironment } from './environment.ts'
import { busyWarning } from './measurement-warnings.ts'
import { timePlain } from './plain-times.ts'
import { readProcessorTicks, shareOfOthers } from './processor-load.ts'

/** Two models to put beside each other. Times are taken on inputs made up for a batch, tensors compared on samples. */
export interface LayersRequest {
  /** Paths of self-contained .onnx files. */
  readonly baseline: string
  readonly model: string
  /** Null: tensors are compared on made-up inputs. */
  readonly dataset: DatasetSource | null
  readonly samples: number
  readonly batch: number
  readonly threads: number
}

/**
 * Two models layer by layer: times from ONNX Runtime's profiler, both models running in turns; the distance of every activation that
 * both have, both run as written, without graph optimizations. Totals are medians of plain runs.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `DATASET_…`, `USAGE` (batch, inputs), `TOO_LARGE`,
 *   `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function layers(request: LayersRequest, context: MeasureContext): Promise<LayerComparison> {
  const { reporter, signal, systemRoot = '/' } = context
  const clocks = await readClockState(systemRoot)
  const environment = readEnvironment(systemRoot, clocks, context.edgesmithVersion)
  const ticks = readProcessorTicks(systemRoot)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  await startRuntime()
  const bytes = { baseline: await readFile(request.baseline), build: await readFile(request.model) }
  const both = [bytes.baseline, bytes.build]
  const { feeds, assumptions, plainMs } = await timePlain(both, request, context)
  throwIfCancelled(signal)
  const profiles = await profileInterleaved(
    both.map((model, index) => ({ model, feeds: feeds[index]! })),
    {
      threads: request.threads,
      onRun: (done, total) => {
        throwIfCancelled(signal)
        reporter.progress({ phase: 'profile', done, total, unit: 'runs' })
      },
    },
  )
  const [baseline, build] = profiles as [ModelProfile, ModelProfile]
  const others = shareOfOthers(ticks, readProcessorTicks(systemRoot))
  const compared = await comparedFeeds(bytes, request)
  const models = await openComparedModels(bytes)
  throwIfCancelled(signal)
  const distances = await distancesOf(models, compared, context).finally(() => compared.close())
  return {
    baselineMs: plainMs?.[0] ?? baseline.runMs,
    buildMs: plainMs?.[1] ?? build.runMs,
    ...compareLayers(baseline, build, distances),
    samples: compared.samples,
    inputs: compared.source,
    environment,
    warnings: [
      ...busyWarning(others, 'during the measurement'),
      ...clockWarnings(clocks, await readClockState(systemRoot)),
      ...assumptions,
      ...(distances.size === 0
        ? ['The two models have no activation of the same name and size in common, so that no signal to noise can be given.']
        : []),
    ],
  }
}

async function comparedFeeds(
  bytes: { readonly baseline: Uint8Array; readonly build: Uint8Array },
  { dataset, samples, batch }: LayersRequest,
): Promise<ComparedFeeds> {
  const inputs = { baseline: await inputsOf(bytes.baseline), build: await inputsOf(bytes.build) }
  return dataset ? feedsOfDataset(dataset, inputs, samples) : madeUpFeeds(inputs, samples, batch)
}

async function inputsOf(bytes: Uint8Array) {
  const model = await onnxRuntime.load(bytes, { optimization: 'disabled' })
  await model.close()
  return model.inputs
}
