import type { ServiceStatus } from '../../contract/deployment.ts'
import type { ServiceLive, ServiceReport } from '../../contract/service-protocol.ts'
import { announce, type Services } from '../services.ts'

/** Keeps what a device said of a service: its state, and which model serves, as far as the workspace has it. */
export function noteReport(services: Services, id: string, report: ServiceReport): void {
  const current = report.versions.find(({ role }) => role === 'current')
  const model = current && services.models.findByHash(current.modelSha256)
  const before = services.deployments.get(id)
  // Two models of the workspace may have the same bytes.
  const isSame = current !== undefined && before.release === current.release
  const changed = services.deployments.see(id, {
    state: report.state,
    survivesReboot: report.state === 'unknown' ? before.survivesReboot : report.survivesReboot,
    ...(current && { release: current.release }),
    ...(model && !isSame && { modelId: model.id }),
    ...(report.port !== null && report.port > 0 && { port: report.port }),
    ...(report.supervision !== null && { supervision: report.supervision }),
  })
  if (changed) announce(services, 'deployments')
}

/** What is shown of a service at a glance. @param live null when it does not run or does not answer */
export function statusOf(report: ServiceReport, live: ServiceLive | null): ServiceStatus {
  return {
    state: report.state,
    pid: report.pid,
    uptimeSeconds: report.uptimeSeconds,
    requests: live?.requests ?? null,
    errors: live?.errors ?? null,
    latencyP50Ms: live?.latencyP50Ms ?? null,
    latencyP95Ms: live?.latencyP95Ms ?? null,
    rssBytes: report.rssBytes ?? live?.rssBytes ?? null,
    message: report.message,
  }
}
