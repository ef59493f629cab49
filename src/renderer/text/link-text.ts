import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import type { DeviceLink } from '../../contract/device-link.ts'
import type { Condition } from '../components/state-dot.tsx'

const words = {
  idle: { condition: 'off', text: 'Idle' },
  connecting: { condition: 'busy', text: 'Connecting' },
  preparing: { condition: 'busy', text: 'Preparing' },
  ready: { condition: 'good', text: 'Ready' },
  reconnecting: { condition: 'warn', text: 'Reconnecting' },
  failed: { condition: 'bad', text: 'Failed' },
} as const satisfies Record<DeviceLink['state'], { condition: Condition; text: string }>

/** The connection to a device in a word. This computer is always ready; a device that failed its probe cannot be used, connected or not. */
export function linkText(
  device: Pick<Device, 'id' | 'report'> | undefined,
  link: DeviceLink | undefined,
): { readonly condition: Condition; readonly text: string } {
  if (device?.report?.fits === false) return { condition: 'bad', text: 'Cannot run the agent' }
  if (device?.id === LOCAL_DEVICE_ID) return words.ready
  return words[link?.state ?? 'idle']
}
