import type { DeviceReport } from '../../../contract/device.ts'
import { plainText } from '../../format/plain-text.ts'

/** Why builds for this target fit the device: the features of its processor that decide it. */
export function targetReason({ target, cpuFeatures, architecture }: Pick<DeviceReport, 'target' | 'cpuFeatures' | 'architecture'>): string {
  const found = (names: readonly string[]) => names.filter((name) => cpuFeatures.includes(name)).join(', ')
  switch (target) {
    case 'x64-vnni':
      return `The processor has 8-bit dot products (${found(['avx512_vnni', 'avx_vnni']) || 'VNNI'}).`
    case 'x64':
      return 'The processor has no 8-bit dot products (neither avx512_vnni nor avx_vnni).'
    case 'arm64-dotprod':
      return `The processor has 8-bit dot products (${found(['asimddp', 'i8mm']) || 'asimddp'}).`
    case 'arm64':
      return 'The processor has no 8-bit dot products (no asimddp).'
    case 'tensorrt':
      return 'The GPU runs engines of TensorRT.'
    case null:
      return `Edgesmith has no runtime for ${plainText(architecture, 40)}.`
  }
}
