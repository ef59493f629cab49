import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { findVersionBeside, releasePositional } from '../serving/find-version.ts'
import { serviceResult } from '../serving/service-status.ts'

export const withdrawCommand = defineCommand({
  name: 'withdraw',
  summary: 'Take away a version beside the current one',
  positionals: { ...servicePositional, release: releasePositional },
  options: serviceOptions,
  examples: ['withdraw classifier 3fa2'],
  run: async (context, options, { service, release: text }) => {
    const deployment = await findDeployment(context, service, options.device)
    const { release } = await findVersionBeside(context, deployment, text)
    const traffic = { action: 'withdraw', release } as const
    return serviceResult(
      context,
      deployment.id,
      await (await context.backend()).call('deployments.traffic', { id: deployment.id, traffic }),
    )
  },
})
