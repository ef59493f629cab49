import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { serviceResult } from '../serving/service-status.ts'

export const startCommand = defineCommand({
  name: 'start',
  summary: 'Start a stopped service again',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['start classifier'],
  run: async (context, options, { service }) => {
    const { id } = await findDeployment(context, service, options.device)
    await (await context.backend()).call('deployments.restart', { id })
    return serviceResult(context, id)
  },
})
