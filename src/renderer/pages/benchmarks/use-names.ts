import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'

interface Names {
  readonly model: (id: string) => string
  readonly device: (id: string) => string
  readonly dataset: (id: string) => string
}

/** What models, devices and datasets are called; those that were removed are said to be. */
export function useNames(): Names {
  const models = useCall('models.list', {}).data
  const devices = useCall('devices.list', {}).data
  const datasets = useCall('datasets.list', {}).data
  const modelNames = new Map(models?.map(({ id, name }) => [id, name]))
  const deviceNames = new Map(devices?.map(({ id, name }) => [id, name]))
  const datasetNames = new Map(datasets?.map(({ id, name }) => [id, name]))
  return {
    model: (id) => plainText(modelNames.get(id) ?? (models ? 'removed model' : ''), 80),
    device: (id) => deviceNameLabel(id, deviceNames.get(id) ?? (id === LOCAL_DEVICE_ID || !devices ? '' : 'removed device')),
    dataset: (id) => plainText(datasetNames.get(id) ?? (datasets ? 'removed dataset' : ''), 80),
  }
}
