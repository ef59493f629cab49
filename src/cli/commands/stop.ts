import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { serviceResult } from '../serving/service-status.ts'

export const stopCommand = defineCommand({
  name: 'stop',
  summary: 'Stop a service; it stays on its device',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['stop classifier'],
  run: async (context, options, { service }) => {
    const { id } = await findDeployment(context, service, options.device)
    await (await context.backend()).call('deployments.stop', { id })
    return serviceResult(context, id)
  },
})
