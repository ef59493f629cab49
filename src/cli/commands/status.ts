import { formatBytes, formatCount, formatMs, formatSpan } from '../../backend/report/quantities.ts'
import type { Deployment, ServiceStatus } from '../../contract/deployment.ts'
import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { factList } from '../text-table.ts'

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'What a service says of itself, asked on its device',
  positionals: servicePositional,
  options: serviceOptions,
  examples: ['status classifier'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    const status = await backend.call('deployments.status', { id: deployment.id })
    return statusResult(deployment, status)
  },
})

/** What commands that change or read a service's state print. */
export function statusResult(deployment: Deployment, status: ServiceStatus): { document: object; text: string } {
  const { service, device, model, port } = deployment
  return {
    document: { service, device, model, port, ...status },
    text: factList([
      ['service', `${service} on ${device}`],
      ['model', model],
      ['state', status.state],
      ['message', status.message],
      ['process', status.pid === null ? null : `${status.pid}, port ${port}`],
      ['up for', status.uptimeSeconds === null ? null : formatSpan(status.uptimeSeconds * 1000)],
      ['requests', status.requests === null ? null : `${formatCount(status.requests)}, ${formatCount(status.errors)} errors`],
      ['latency', status.latencyP50Ms === null ? null : `p50 ${formatMs(status.latencyP50Ms)}, p95 ${formatMs(status.latencyP95Ms)}`],
      ['memory', status.rssBytes === null ? null : formatBytes(status.rssBytes)],
    ]),
  }
}
