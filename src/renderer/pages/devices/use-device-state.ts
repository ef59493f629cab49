import type { Device } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import { useDeviceLink } from '../../backend/use-device-links.ts'
import { type DeviceState, deviceState } from './device-state.ts'
import { useDeviceActivity } from './use-device-activity.ts'

/** The state of a device as it is right now. */
export function useDeviceState(device: Device): DeviceState {
  const { data: workspace } = useCall('workspace.describe', {})
  return deviceState(device, useDeviceLink(device.id), useDeviceActivity(device.id), workspace?.version)
}
