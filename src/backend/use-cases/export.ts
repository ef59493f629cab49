import { exportModel } from '../export/export-job.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'
import { serviceNameFor } from '../serving/service-name.ts'

/** Writing what operations needs to serve a model without Edgesmith. */
export function exportHandlers(services: Services): HandlersOf<'export'> {
  const { models, queue } = services
  return {
    'export.start': (input) => {
      const model = models.get(input.modelId)
      const service = input.service ?? serviceNameFor(model.name)
      const jobId = queue.start({
        kind: 'export.start',
        title: `Export ${model.name} as ${input.format}`,
        run: (context) => exportModel(services, model, { ...input, service }, context),
      })
      return { jobId }
    },
  }
}
