import type { Matrix } from '../../../contract/matrix.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'

/** What a matrix is about: `3 builds on 2 devices`; one of them is named. */
export function matrixTitle({ models, devices }: Pick<Matrix, 'models' | 'devices'>): string {
  const [model, device] = [models[0], devices[0]]
  const what = models.length === 1 && model ? plainText(model.name, 60) : formatCounted(models.length, 'build')
  const where = devices.length === 1 && device ? deviceNameLabel(device.id, device.name) : formatCounted(devices.length, 'device')
  return `${what} on ${where}`
}
