import { statusOf } from '../../backend/serving/service-reports.ts'
import type { Deployment } from '../../contract/deployment.ts'
import { toErrorReport } from '../../contract/errors.ts'
import type { ServiceReport } from '../../contract/service-protocol.ts'
import type { CommandContext, CommandResult } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceText } from './service-text.ts'

/** What commands that change or read a service print: everything its device says of it, now. @param report the newest, where there is one */
export async function serviceResult(context: CommandContext, id: string, report?: ServiceReport): Promise<CommandResult> {
  const backend = await context.backend()
  const current = report ?? (await backend.call('deployments.report', { id }))
  const live = current.state === 'running' ? await backend.call('deployments.live', { id }).catch(silent) : null
  const deployment = await findDeployment(context, id)
  return {
    document: { ...summary(deployment), ...current, ...statusOf(current, live), live },
    text: serviceText(deployment, current, live),
  }
}

function summary({ service, device, model, release, port, settings }: Deployment) {
  return { service, device, model, release, port, network: settings?.network ?? null }
}

/** A service that runs and says nothing is shown all the same. */
function silent(error: unknown): null {
  if (['SERVICE_NOT_RUNNING', 'DEVICE_PROTOCOL'].includes(toErrorReport(error).code)) return null
  throw error
}
