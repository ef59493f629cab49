import type { DeviceAuth } from '../../../contract/device.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import { parseSshAddress, suggestedName } from './ssh-address.ts'

/** The form for a new device as it stands. */
export interface DeviceDraft {
  readonly address: string
  /** Empty: made from the host. */
  readonly name: string
  readonly method: DeviceAuth['method']
  readonly keyPath: string
  readonly password: string
}

/** An empty form; most people log in with a key that their ssh-agent holds or that lies in ~/.ssh. */
export function emptyDeviceDraft(): DeviceDraft {
  return { address: '', name: '', method: 'key', keyPath: '', password: '' }
}

/** The name the device will get. */
export function deviceNameOf(draft: DeviceDraft): string {
  const parsed = parseSshAddress(draft.address)
  return draft.name.trim() || (parsed.ok ? suggestedName(parsed.address.host) : '')
}

/** What `devices.add` is called with; undefined while the address cannot be read. */
export function deviceInput(draft: DeviceDraft): ProcedureInput<'devices.add'> | undefined {
  const parsed = parseSshAddress(draft.address)
  if (!parsed.ok) return undefined
  return { name: deviceNameOf(draft), ...parsed.address, ...loginOf(draft) }
}

function loginOf({ method, keyPath, password }: DeviceDraft): Pick<ProcedureInput<'devices.add'>, 'auth' | 'password'> {
  switch (method) {
    case 'key':
      return { auth: { method, keyPath: keyPath.trim() } }
    case 'password':
      return { auth: { method, environmentVariable: null }, password }
    case 'agent':
      return { auth: { method } }
  }
}
