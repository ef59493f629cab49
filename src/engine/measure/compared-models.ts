import { type ComparedModel, type CorrespondingTensor, correspondingTensors } from '../../core/explanation/corresponding-tensors.ts'
import type { TensorDistance } from '../../core/explanation/tensor-distance.ts'
import { tensorDistances } from '../../core/explanation/tensor-distances.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { inferTensorFacts } from '../../core/quantization/tensor-facts.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { onnxRuntime } from '../runtimes/onnx-runtime.ts'
import type { MeasureContext } from './benchmark.ts'
import type { ComparedFeeds } from './compared-feeds.ts'

/** A baseline and a build of it, decoded, and the tensors they have in common. */
export interface ComparedModels {
  readonly baseline: ComparedModel
  readonly build: ComparedModel
  readonly tensors: readonly CorrespondingTensor[]
}

/**
 * Decodes two models and finds the activations that both have.
 * @param bytes of self-contained .onnx files that ONNX Runtime has loaded before
 * @throws the runtime's load errors
 */
export async function openComparedModels(bytes: { readonly baseline: Uint8Array; readonly build: Uint8Array }): Promise<ComparedModels> {
  const baseline = await opened(bytes.baseline, 'the baseline')
  const build = await opened(bytes.build, 'the build')
  return { baseline, build, tensors: correspondingTensors(baseline, build) }
}

async function opened(bytes: Uint8Array, name: string): Promise<ComparedModel> {
  const model = decodeModel(bytes, name)
  return { graph: new Graph(model), facts: await inferTensorFacts(model, onnxRuntime) }
}

/** How far each tensor of the build is from the baseline's, by the baseline's name. @throws the runtime's errors, `JOB_CANCELLED` */
export function distancesOf(
  { baseline, build, tensors }: ComparedModels,
  { feeds, read }: ComparedFeeds,
  { reporter, signal }: MeasureContext,
): Promise<Map<string, TensorDistance>> {
  const request = { baseline: baseline.graph.model, build: build.graph.model, tensors, feeds, read }
  return tensorDistances(request, onnxRuntime, (done, total) => {
    throwIfCancelled(signal)
    reporter.progress({ phase: 'compare tensors', done, total, unit: 'runs' })
  })
}
