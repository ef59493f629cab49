import type { HandlersOf } from '../handlers.ts'
import { announce, type Services } from '../services.ts'
import { runValidation } from '../validation/run-validation.ts'

/** Checking services before production. */
export function validateHandlers(services: Services): HandlersOf<'validate'> & HandlersOf<'validations'> {
  const { deployments, devices, queue, validations } = services
  return {
    'validate.start': (input) => {
      const { service, deviceId, device } = deployments.get(input.deploymentId)
      if (input.datasetId !== undefined) services.datasets.get(input.datasetId)
      const jobId = queue.start({
        kind: 'validate.start',
        title: `Validate ${service} on ${device}`,
        // Latency is timed.
        machine: { key: services.machineKey(devices.get(deviceId)), mode: 'exclusive' },
        run: async (context) => {
          const validation = await runValidation(services, input, context)
          validations.put(validation, context.jobId)
          announce(services, 'validations')
          return validation
        },
      })
      return { jobId }
    },
    'validations.list': ({ deploymentId }) => validations.list(deploymentId),
  }
}
