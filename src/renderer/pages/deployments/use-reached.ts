import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useDeviceLink } from '../../backend/use-device-links.ts'

/** Whether a device can be asked without connecting first: what is asked again and again must not undo a disconnection. */
export function useReached(deviceId: string): boolean {
  const link = useDeviceLink(deviceId)
  return deviceId === LOCAL_DEVICE_ID || link?.state === 'ready'
}
