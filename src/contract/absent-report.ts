import type { ServiceReport } from './service-protocol.ts'

/** A service that is not there, or only begun. */
export function absentReport(service: string, message: string): ServiceReport {
  return {
    service,
    state: 'unknown',
    message,
    pid: null,
    port: null,
    host: null,
    uptimeSeconds: null,
    rssBytes: null,
    supervision: null,
    survivesReboot: false,
    rebootNote: null,
    versions: [],
    events: [],
  }
}
