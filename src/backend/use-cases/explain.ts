import { EdgesmithError } from '../../contract/errors.ts'
import { explainOn, readyDevice } from '../devices/agent-work.ts'
import { machineKey } from '../devices/device-sessions.ts'
import type { HandlersOf } from '../handlers.ts'
import type { Services } from '../services.ts'

/** Why a build is slower than its baseline on a device. */
export function explainHandlers(services: Services): HandlersOf<'explain'> {
  return {
    'explain.start': ({ baselineId, modelId, deviceId, ...settings }) => {
      const baseline = services.models.get(baselineId)
      const build = services.models.get(modelId)
      const device = services.devices.get(deviceId)
      if (baseline.id === build.id) throw new EdgesmithError('USAGE', 'Choose two models: a build and what it is compared with')
      const jobId = services.queue.start({
        kind: 'explain.start',
        title: `Time ${build.name} beside ${baseline.name} on ${device.name}, node by node`,
        machine: { key: machineKey(device), mode: 'exclusive' },
        run: async (context) => {
          const ready = await readyDevice(services, deviceId, { models: [baseline, build], datasets: [] }, context)
          return explainOn(ready, baseline, build, settings, context)
        },
      })
      return { jobId }
    },
  }
}
