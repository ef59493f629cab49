import type { EngineRequest } from '../../contract/engine-protocol.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { type OpenDataset, openDataset } from '../datasets/open-dataset.ts'
import { correctAnswers } from '../measure/predictions.ts'
import type { AccuracyBudget } from './step-context.ts'

/** Samples in one inference, where the model leaves the batch open. */
const BATCH = 32

/**
 * Opens the labelled dataset of an accuracy budget; the caller closes it.
 * @throws EdgesmithError `DATASET_…` when it does not fit the model or has no labels
 */
export async function accuracyBudget(
  source: Uint8Array,
  { maxAccuracyDrop, labelled }: NonNullable<Extract<EngineRequest, { command: 'optimize' }>['budget']>,
  runtime: InferenceRuntime,
): Promise<AccuracyBudget & Pick<OpenDataset, 'close'>> {
  const ports = await runtime.load(source, { optimization: 'disabled' })
  await ports.close()
  const dataset = await openDataset(labelled, ports.inputs)
  return {
    maxDrop: maxAccuracyDrop,
    samples: dataset.sampleCount,
    close: () => dataset.close(),
    correct: async (model) => {
      const loaded = await runtime.load(model)
      try {
        return await correctAnswers(loaded, dataset, { name: labelled.name, batch: BATCH })
      } finally {
        await loaded.close()
      }
    },
  }
}
