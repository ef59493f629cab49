import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { setting } from '../option.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'

export const logsCommand = defineCommand({
  name: 'logs',
  summary: 'The last lines of a service’s log',
  positionals: servicePositional,
  options: { ...serviceOptions, lines: setting('N', procedures['deployments.logs'].input.shape.lines, 'how many lines') },
  examples: ['logs classifier --lines 50'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    const { text } = await backend.call('deployments.logs', { id: deployment.id, lines: options.lines })
    return { document: { service: deployment.service, device: deployment.device, text }, text: text === '' ? 'The log is empty.' : text }
  },
})
