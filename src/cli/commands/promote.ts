import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { findVersionBeside, releasePositional } from '../serving/find-version.ts'
import { serviceResult } from '../serving/service-status.ts'

export const promoteCommand = defineCommand({
  name: 'promote',
  summary: 'A version beside the current one becomes current at once',
  positionals: { ...servicePositional, release: releasePositional },
  options: serviceOptions,
  examples: ['promote classifier 3fa2'],
  run: async (context, options, { service, release: text }) => {
    const deployment = await findDeployment(context, service, options.device)
    const { release } = await findVersionBeside(context, deployment, text)
    const traffic = { action: 'promote', release } as const
    return serviceResult(
      context,
      deployment.id,
      await (await context.backend()).call('deployments.traffic', { id: deployment.id, traffic }),
    )
  },
})
