import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { serviceResult } from '../serving/service-status.ts'

export const rollbackCommand = defineCommand({
  name: 'rollback',
  summary: 'Take back what is being tried; where nothing is, the version before serves again',
  positionals: servicePositional,
  options: serviceOptions,
  notes: ['A second rollback goes forward again: current and previous change places.'],
  examples: ['rollback classifier'],
  run: async (context, options, { service }) => {
    const { id } = await findDeployment(context, service, options.device)
    return serviceResult(context, id, await (await context.backend()).call('deployments.rollback', { id }))
  },
})
