import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { Services } from '../services.ts'
import { datasetSource } from './dataset-source.ts'
import { requireLabels } from './datasets.ts'
import { hostTarget } from './workspace.ts'

/** Which units of a model suffer most from int8 quantization. */
export function sensitivityHandlers(services: Services): HandlersOf<'sensitivity'> {
  const { models, datasets, blobs, layout, queue } = services
  return {
    'sensitivity.start': ({ modelId, calibrationId, datasetId, samples, ...input }) => {
      const model = models.get(modelId)
      const calibration = datasets.get(calibrationId)
      const labelled = datasetId === undefined ? null : datasets.get(datasetId)
      if (labelled) requireLabels(labelled)
      const jobId = queue.start({
        kind: 'sensitivity.start',
        title: `What quantizing each node of ${model.name} costs`,
        // The gain of each unit is timed on this computer.
        machine: { key: 'local', mode: 'exclusive' },
        run: async (context) =>
          runEngine(
            {
              command: 'sensitivity',
              modelPath: blobs.path(model.sha256),
              modelName: model.name,
              target: input.target ?? (await hostTarget(services)),
              calibration: datasetSource(calibration, (sha256) => blobs.path(sha256)),
              samples,
              labelled: labelled && datasetSource(labelled, (sha256) => blobs.path(sha256)),
            },
            { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
          ),
      })
      return { jobId }
    },
  }
}
