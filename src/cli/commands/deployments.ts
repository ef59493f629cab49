import { defineCommand } from '../command.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const deploymentsCommand = defineCommand({
  name: 'deployments',
  summary: 'List what is served where',
  positionals: {},
  options: {},
  notes: ['The state is the last known one; edgesmith status SERVICE asks the device.'],
  examples: ['deployments'],
  run: async (context) => {
    const backend = await context.backend()
    const deployments = await backend.call('deployments.list', {})
    const rows = deployments.map(({ service, device, model, release, port, state, survivesReboot, createdAt }) => [
      service,
      device,
      model,
      release ?? '–',
      String(port),
      state,
      survivesReboot === null ? '–' : survivesReboot ? 'yes' : 'no',
      shortMoment(createdAt),
    ])
    return {
      document: { deployments },
      text:
        rows.length === 0
          ? 'Nothing is deployed: edgesmith deploy MODEL --device NAME does it.'
          : textTable(
              [
                { title: 'service' },
                { title: 'device' },
                { title: 'model' },
                { title: 'version' },
                { title: 'port', align: 'right' },
                { title: 'state' },
                { title: 'after reboot' },
                { title: 'since' },
              ],
              rows,
            ),
    }
  },
})
