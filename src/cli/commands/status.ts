import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { serviceResult } from '../serving/service-status.ts'

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'What a service says of itself, asked on its device: versions, shares, drift, events, failures with their logs',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['status classifier'],
  run: async (context, options, { service }) => serviceResult(context, (await findDeployment(context, service, options.device)).id),
})
