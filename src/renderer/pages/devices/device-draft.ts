import type { Device, DeviceAuth } from '../../../contract/device.ts'
import type { SshConfigHost } from '../../../contract/device-link.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import { readDestination } from './destination.ts'
import { formatSshAddress, suggestedName } from './ssh-address.ts'

/** The form for a new device as it stands. */
export interface DeviceDraft {
  /** `user@host:port`, or a `Host` of ~/.ssh/config. */
  readonly address: string
  /** Empty: made from the host. */
  readonly name: string
  readonly method: DeviceAuth['method']
  readonly keyPath: string
  /** Of the key; empty where it has none, or where it is to be asked for. */
  readonly passphrase: string
  readonly password: string
  /** As for `ssh -J`; empty for a direct way. */
  readonly jump: string
  /** Fingerprint read on the device itself; empty where it is to be shown and confirmed. */
  readonly hostKey: string
}

/** An empty form; most people log in with a key that their ssh-agent holds or that lies in ~/.ssh. */
export function emptyDeviceDraft(): DeviceDraft {
  return { address: '', name: '', method: 'default', keyPath: '', passphrase: '', password: '', jump: '', hostKey: '' }
}

/** A form with what is known of a device; secrets and fingerprints have to be given again. */
export function draftOf({ name, connection }: Pick<Device, 'name' | 'connection'>): DeviceDraft {
  const draft = { ...emptyDeviceDraft(), name }
  if (!connection) return draft
  const { auth, configHost, jump } = connection
  return {
    ...draft,
    address: configHost ?? formatSshAddress(connection),
    method: auth.method,
    keyPath: auth.method === 'key' ? auth.keyPath : '',
    jump: jump ?? '',
  }
}

/** The name the device will get. */
export function deviceNameOf(draft: DeviceDraft, hosts: readonly SshConfigHost[] = []): string {
  const destination = readDestination(draft.address, hosts)
  return draft.name.trim() || (destination.ok ? suggestedName(destination.configHost?.alias ?? destination.address.host) : '')
}

/** What `devices.add` is called with; undefined while the address cannot be read. */
export function deviceInput(draft: DeviceDraft, hosts: readonly SshConfigHost[] = []): ProcedureInput<'devices.add'> | undefined {
  const destination = readDestination(draft.address, hosts)
  if (!destination.ok) return undefined
  const { address, configHost } = destination
  const [jump, hostKey] = [draft.jump.replace(/\s+/g, ''), draft.hostKey.trim()]
  return {
    name: deviceNameOf(draft, hosts),
    ...address,
    ...(configHost ? { configHost: configHost.alias } : {}),
    // The way to a Host of the configuration stands there.
    ...(jump !== '' && !configHost ? { jump } : {}),
    ...(hostKey !== '' ? { hostKey } : {}),
    ...loginOf(draft),
  }
}

function loginOf({ method, keyPath, passphrase, password }: DeviceDraft): Pick<ProcedureInput<'devices.add'>, 'auth' | 'password'> {
  switch (method) {
    case 'key':
      return { auth: { method, keyPath: keyPath.trim() }, ...(passphrase === '' ? {} : { password: passphrase }) }
    case 'password':
      return { auth: { method, environmentVariable: null }, password }
    case 'default':
    case 'agent':
    case 'interactive':
      return { auth: { method } }
  }
}
