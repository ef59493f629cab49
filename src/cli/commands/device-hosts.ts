import { defineCommand } from '../command.ts'
import { textTable } from '../text-table.ts'

export const deviceHostsCommand = defineCommand({
  name: 'device hosts',
  summary: 'List the hosts of your SSH configuration that can be added by their name',
  positionals: {},
  options: {},
  examples: ['device hosts'],
  run: async (context) => {
    const hosts = await (await context.backend()).call('devices.hosts', {})
    const rows = hosts.map(({ alias, user, host, port, identityFiles, proxyJump }) => [
      alias,
      `${user}@${host}:${port}`,
      proxyJump ?? '',
      identityFiles.join(', '),
    ])
    return {
      document: { hosts },
      text:
        rows.length === 0
          ? 'There is no Host in ~/.ssh/config.'
          : textTable([{ title: 'host' }, { title: 'address' }, { title: 'through' }, { title: 'key files' }], rows),
    }
  },
})
