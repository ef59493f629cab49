import type { DeviceLink } from '../../contract/device-link.ts'
import { type LinkReport, plainReport } from '../../remote/link-report.ts'

/** State of the connection to each device, as the window shows it. */
export class DeviceLinks {
  private readonly links = new Map<string, DeviceLink>()
  private readonly emit: (link: DeviceLink) => void

  /** @param emit called with every change */
  constructor(emit: (link: DeviceLink) => void) {
    this.emit = emit
  }

  /** `idle` for a device nobody has used yet. */
  get(deviceId: string): DeviceLink {
    const idle = { state: 'idle', since: new Date(0).toISOString(), attempts: 0, nextAttemptAt: null, error: null } as const
    return this.links.get(deviceId) ?? { deviceId, ...idle }
  }

  set(deviceId: string, report: LinkReport): void {
    const before = this.links.get(deviceId)
    const since = before?.state === report.state ? before.since : new Date().toISOString()
    const link: DeviceLink = { ...report, deviceId, since }
    this.links.set(deviceId, link)
    this.emit(link)
  }

  idle(deviceId: string): void {
    if (this.links.has(deviceId)) this.set(deviceId, { state: 'idle', attempts: 0, nextAttemptAt: null, error: null })
  }

  failed(deviceId: string, error: unknown): void {
    this.set(deviceId, { state: 'failed', attempts: this.get(deviceId).attempts, nextAttemptAt: null, error: plainReport(error) })
  }

  forget(deviceId: string): void {
    this.links.delete(deviceId)
  }
}
