import { defineCommand } from '../command.ts'
import { findDevice } from '../references.ts'
import { describeDevice } from './device-add.ts'

export const deviceProbeCommand = defineCommand({
  name: 'device probe',
  summary: 'Read the state of a device again: load, temperature, memory, disk',
  positionals: { name: { description: 'name of the device' } },
  options: {},
  examples: ['device probe pi5'],
  run: async (context, _options, { name }) => {
    const device = await findDevice(context, name)
    const backend = await context.backend()
    const report = await backend.call('devices.probe', { id: device.id })
    return { document: { name: device.name, ...report }, text: describeDevice({ ...device, report }) }
  },
})
