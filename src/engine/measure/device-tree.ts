import { readSystemFile, type SystemRoot } from '../../platform/system-files.ts'

/** A text of the device tree, for example `model`; /proc has only a link to it, which some containers lack. */
export function readDeviceTree(root: SystemRoot, name: string): string | undefined {
  return readSystemFile(root, `/proc/device-tree/${name}`) ?? readSystemFile(root, `/sys/firmware/devicetree/base/${name}`)
}

/** Whether the device tree says so. */
export function isRaspberryPi(root: SystemRoot): boolean {
  return readDeviceTree(root, 'model')?.startsWith('Raspberry Pi') ?? false
}
