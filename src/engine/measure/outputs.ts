import { readFile } from 'node:fs/promises'
import type { OutputsResult } from '../../contract/agent-protocol.ts'
import type { DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { RuntimeTensor } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { coarsestPrecision, exposedLayers, outputStep } from '../../core/parity/exposed-layers.ts'
import { valueDifference } from '../../core/parity/value-difference.ts'
import { inferTensorFacts } from '../../core/quantization/tensor-facts.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { onnxRuntime } from '../runtimes/onnx-runtime.ts'
import { startRuntime } from '../runtimes/prepared-model.ts'
import type { MeasureContext } from './benchmark.ts'
import { readClockState } from './clock-state.ts'
import { readEnvironment } from './environment.ts'
import { type CollectedLayers, collectLayers } from './layer-values.ts'
import { type OutputFeeds, openOutputFeeds } from './output-feeds.ts'
import { asFloats, type CollectedOutput, collectOutputs } from './output-values.ts'

/** A model to run, and on what. */
export interface OutputsRequest {
  /** Path of a self-contained .onnx file. */
  readonly model: string
  /** Null: made-up inputs, the same on every machine. */
  readonly dataset: DatasetSource | null
  readonly samples: number
  /** Inner tensors of this many of the first samples; 0 for none. */
  readonly layerSamples: number
  readonly threads: number
}

/**
 * What a model gives for some samples: outputs as a user's program would get them, and inner tensors from further runs in which they are
 * given out. For a comparison with the same model on another machine.
 *
 * @throws EdgesmithError or CoreError `FILE_NOT_FOUND`, `MODEL_LOAD_FAILED` and relatives, `DATASET_…`, `USAGE` (inputs), `TOO_LARGE`,
 *   `EVALUATION_IMPOSSIBLE`, `MODEL_RUN_FAILED`, `JOB_CANCELLED`
 */
export async function outputs(request: OutputsRequest, context: MeasureContext): Promise<OutputsResult> {
  const { reporter, signal, systemRoot = '/' } = context
  const { threads } = request
  const environment = readEnvironment(systemRoot, await readClockState(systemRoot), context.edgesmithVersion)
  reporter.progress({ phase: 'load', done: 0, total: null, unit: '' })
  await startRuntime()
  const bytes = await readFile(request.model)
  const model = await onnxRuntime.load(bytes, { intraOpThreads: threads })
  let feeds: OutputFeeds
  let found: Awaited<ReturnType<typeof collectOutputs>>
  try {
    feeds = await openOutputFeeds(request.dataset, model.inputs, request.samples)
    found = await collectOutputs(model, feeds, (done) => {
      throwIfCancelled(signal)
      reporter.progress({ phase: 'run', done: Math.min(feeds.samples, done * feeds.batch), total: feeds.samples, unit: 'samples' })
    }).catch((error: unknown) => {
      feeds.close()
      throw request.dataset === null ? withDatasetHint(error) : error
    })
  } finally {
    await model.close()
  }
  try {
    const graph = new Graph(decodeModel(bytes, 'the model'))
    const exposed = exposedLayers(graph, await inferTensorFacts(graph.model, onnxRuntime))
    throwIfCancelled(signal)
    const runs = Math.ceil(request.layerSamples / feeds.batch)
    const inner = await collectLayers(graph, exposed, feeds, { runs, threads }, (done, total) => {
      throwIfCancelled(signal)
      reporter.progress({ phase: 'inner tensors', done, total, unit: 'runs' })
    }).catch((error: unknown) => {
      throwIfCancelled(signal)
      return withoutLayers(error)
    })
    return {
      samples: feeds.samples,
      inputs: feeds.source,
      precision: coarsestPrecision(exposed),
      outputs: found.outputs.map((output) => ({ ...output, step: outputStep(graph, output.name) })),
      layers: inner.layers.map((layer) => ({ ...layer, inputs: [...layer.inputs] })),
      environment,
      warnings: [...feeds.assumptions, ...found.warnings, ...('failure' in inner ? [inner.failure] : layerWarnings(inner, found.outputs))],
    }
  } finally {
    feeds.close()
  }
}

/** Outputs are worth having without what is between; why there is none is said. */
function withoutLayers(error: unknown): CollectedLayers & { readonly failure: string } {
  const reason = error instanceof Error ? error.message : String(error)
  return { layers: [], thinned: 0, firstOutputs: [], failure: `Inner tensors could not be given out, and are not compared: ${reason}` }
}

/** A model may refuse inputs that were only made up. */
function withDatasetHint(error: unknown): unknown {
  if (!(error instanceof EdgesmithError) || error.code !== 'MODEL_RUN_FAILED') return error
  const { code, message, details } = error
  return new EdgesmithError(code, message, { hint: 'Its inputs were made up, and may make no sense to it: give a dataset.', details })
}

function layerWarnings({ thinned, layers, firstOutputs }: CollectedLayers, outputs: readonly CollectedOutput[]): string[] {
  const changed = outputs.filter((output) => firstOutputs.some((given) => isChanged(given[output.name]!, output)))
  return [
    ...(thinned > 0 ? [`Of ${thinned} of ${layers.length} inner tensors only some values are compared, evenly spread.`] : []),
    ...(changed.length > 0
      ? [
          'Giving out inner tensors changes how the runtime fuses this model: with them its outputs are not quite the same, so that numbers of layers are close to what happens, not exactly it.',
        ]
      : []),
  ]
}

/** Whether the first values of an output came out differently once tensors were given out. */
function isChanged(given: RuntimeTensor, output: CollectedOutput): boolean {
  const { values } = asFloats(given)
  const length = Math.min(values.length, output.values.length)
  return valueDifference(output.values.subarray(0, length), values.subarray(0, length)).kind !== 'same'
}
