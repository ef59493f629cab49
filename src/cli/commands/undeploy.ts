import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'

export const undeployCommand = defineCommand({
  name: 'undeploy',
  summary: 'Stop a service and delete it from its device',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['undeploy classifier'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    await backend.call('deployments.remove', { id: deployment.id })
    return {
      document: { service: deployment.service, device: deployment.device, removed: true },
      text: `Removed ${deployment.service} from ${deployment.device}`,
    }
  },
})
