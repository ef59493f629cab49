import type { ProcedureInput } from '../../src/contract/procedures.ts'
import type { SshDevice } from '../devices/ssh-device.ts'

/** What adds a test device to a workspace: log-in by its key, its true fingerprint confirmed. */
export function deviceInput(
  device: Pick<SshDevice, 'host' | 'port' | 'user' | 'keyPath' | 'hostFingerprint'>,
  name: string,
): ProcedureInput<'devices.add'> {
  return {
    name,
    host: device.host,
    port: device.port,
    user: device.user,
    auth: { method: 'key', keyPath: device.keyPath },
    hostKey: device.hostFingerprint,
  }
}
