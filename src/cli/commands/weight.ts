import { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { readSetting } from '../schema-facts.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { findVersionBeside, releasePositional } from '../serving/find-version.ts'
import { serviceResult } from '../serving/service-status.ts'

export const weightCommand = defineCommand({
  name: 'weight',
  summary: 'Change the share of requests that a version beside the current one gets',
  positionals: { ...servicePositional, release: releasePositional, percent: { description: 'share in percent, 0 to 100' } },
  options: serviceOptions,
  examples: ['weight classifier 3fa2 25'],
  run: async (context, options, { service, release: text, percent }) => {
    const weight = readPercent(percent)
    const deployment = await findDeployment(context, service, options.device)
    const { release } = await findVersionBeside(context, deployment, text)
    const traffic = { action: 'weight', release, weight } as const
    return serviceResult(
      context,
      deployment.id,
      await (await context.backend()).call('deployments.traffic', { id: deployment.id, traffic }),
    )
  },
})

function readPercent(text: string): number {
  try {
    return readSetting(z.number().min(0).max(100), text.replace(/\s*%$/, ''))
  } catch (error) {
    throw new EdgesmithError('USAGE', `weight: the share ${error instanceof Error ? error.message : String(error)}`)
  }
}
