import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'

/** Why a device cannot measure with TensorRT, as a sentence; null where it can, as far as its last probe tells. */
export function tensorRtRefusal(device: Device | undefined): string | null {
  if (!device) return 'Choose a device first.'
  if (!device.report) return 'The device was not probed yet: open it on the page Devices.'
  if (device.report.trtexec !== null) return null
  return device.id === LOCAL_DEVICE_ID
    ? 'TensorRT is measured on a device with trtexec: a Jetson.'
    : 'Its probe found no trtexec. JetPack installs it on a Jetson.'
}
