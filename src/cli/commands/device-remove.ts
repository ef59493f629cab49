import { formatBytes } from '../../backend/report/quantities.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
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
    if (device.id === LOCAL_DEVICE_ID) throw new EdgesmithError('USAGE', 'This computer cannot be removed: it is always there')
    const backend = await context.backend()
    const { removedBytes } = await backend
      .call('devices.remove', { id: device.id, keepFiles: options['keep-files'] })
      .catch((error: unknown) => Promise.reject(error instanceof EdgesmithError ? withWayOut(error, device.name) : error))
    return {
      document: { device: device.name, removedBytes },
      text: `Removed ${device.name}${options['keep-files'] ? '; its files are still there' : ` and ${formatBytes(removedBytes)} on it`}`,
    }
  },
})

/** A device whose key has changed, or that is gone, has to be removable too: that is what the hints of those errors ask for. */
function withWayOut({ code, message, hint = '', details }: EdgesmithError, name: string): EdgesmithError {
  const wayOut = `edgesmith device remove ${name} --keep-files forgets it without deleting its files.`
  return new EdgesmithError(code, message, { hint: `${wayOut} ${hint}`.trim(), ...(details === undefined ? {} : { details }) })
}
