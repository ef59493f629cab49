import { formatBytes } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { flag } from '../option.ts'
import { findDevice } from '../references.ts'

export const deviceRemoveCommand = defineCommand({
  name: 'device remove',
  summary: 'Stop its services, delete everything Edgesmith put on a device, and forget it',
  positionals: { name: { description: 'name of the device' } },
  options: { 'keep-files': flag('only forget it: for a device that cannot be reached any more') },
  examples: ['device remove pi5'],
  run: async (context, options, { name }) => {
    const device = await findDevice(context, name)
    const backend = await context.backend()
    const { removedBytes } = await backend.call('devices.remove', { id: device.id, keepFiles: options['keep-files'] })
    return {
      document: { device: device.name, removedBytes },
      text: `Removed ${device.name}${options['keep-files'] ? '; its files are still there' : ` and ${formatBytes(removedBytes)} on it`}`,
    }
  },
})
