import type { TensorError } from '../../contract/recipe.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import type { StaticallyQuantizedModel, StaticQuantization } from '../../core/quantization/static-quantization.ts'
import { reportTensors, worstFirst } from '../../core/quantization/tensor-report.ts'
import { someFeeds } from './calibration-feeds.ts'
import type { StepContext } from './step-context.ts'

/** Samples that errors of tensors are measured on: they settle early, and every tensor of both models is read. */
const COMPARED_FEEDS = 4

/** What quantization did to each activation, worst first. @throws the runtime's errors */
export async function tensorErrors(
  quantization: StaticQuantization,
  { model, tensors }: StaticallyQuantizedModel,
  samples: CalibrationSamples,
  { runtime, progress }: StepContext,
): Promise<TensorError[]> {
  const request = { float: quantization.prepared, build: model, tensors }
  const reports = await reportTensors(request, someFeeds(samples, COMPARED_FEEDS), runtime, (done, total) =>
    progress('comparing tensors', done, total, 'runs'),
  )
  return worstFirst(reports)
}
