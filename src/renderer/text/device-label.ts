import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { plainText } from '../format/plain-text.ts'

/** How a device is called: "This computer", or the name it was given. */
export function deviceLabel(device: Pick<Device, 'id' | 'name'>): string {
  return deviceNameLabel(device.id, device.name)
}

/** The same from the id and name that results carry. */
export function deviceNameLabel(id: string, name: string): string {
  return id === LOCAL_DEVICE_ID ? 'This computer' : plainText(name, 60)
}
