import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

export const deviceListCommand = defineCommand({
  name: 'device list',
  summary: 'List this computer and every added device',
  positionals: {},
  options: {},
  examples: ['device list'],
  run: async (context) => {
    const backend = await context.backend()
    const devices = await backend.call('devices.list', {})
    return {
      document: { devices },
      text: textTable(
        [{ title: 'name' }, { title: 'address' }, { title: 'board' }, { title: 'target' }, { title: 'agent' }],
        devices.map(({ name, connection, report, agentVersion }) => [
          name,
          connection ? `${connection.user}@${connection.host}:${connection.port}` : 'local',
          report?.board ?? report?.machine ?? '',
          report?.target ?? '',
          agentVersion ?? '',
        ]),
      ),
    }
  },
})
