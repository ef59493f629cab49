import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { statusResult } from './status.ts'

export const stopCommand = defineCommand({
  name: 'stop',
  summary: 'Stop a service; it stays on its device',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['stop classifier'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    const status = await backend.call('deployments.stop', { id: deployment.id })
    return statusResult(await findDeployment(context, deployment.id), status)
  },
})
