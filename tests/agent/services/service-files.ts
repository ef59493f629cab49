import type { ReleaseFile, ServiceSettings } from '../../../src/contract/service.ts'
import { serviceSettingsSchema } from '../../../src/contract/service.ts'

/** Settings of a service called `box`. */
export const settings: ServiceSettings = serviceSettingsSchema.parse({ service: 'box', host: '127.0.0.1', port: 3333 })

/** A release of a model that lies somewhere. */
export function release(model: Pick<ReleaseFile, 'modelName' | 'modelPath' | 'modelSha256'>): ReleaseFile {
  return { ...model, preprocessing: {}, labels: null, accuracy: null, latencyP50Ms: null }
}
