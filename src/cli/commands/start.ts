import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { statusResult } from './status.ts'

export const startCommand = defineCommand({
  name: 'start',
  summary: 'Start a stopped service again',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['start classifier'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    const status = await backend.call('deployments.restart', { id: deployment.id })
    return statusResult(await findDeployment(context, deployment.id), status)
  },
})
