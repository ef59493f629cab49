import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { defineCommand } from '../command.ts'
import { findDeployment } from '../references.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'
import { factList } from '../text-table.ts'
import { deviceUrl } from './deploy.ts'

export const connectCommand = defineCommand({
  name: 'connect',
  summary: 'Print address and token of a service, and keep the tunnel to its device open',
  positionals: servicePositional,
  options: serviceOptions,
  notes: ['For a service on another device it stays until Ctrl+C: the tunnel ends with it. A service on this computer needs no tunnel.'],
  examples: ['connect classifier'],
  run: async (context, options, { service }) => {
    const deployment = await findDeployment(context, service, options.device)
    const backend = await context.backend()
    const { url: tunnelUrl, token } = await backend.call('deployments.connect', { id: deployment.id })
    const local = deployment.deviceId === LOCAL_DEVICE_ID
    const url = local ? deviceUrl(deployment) : tunnelUrl
    return {
      document: { service: deployment.service, device: deployment.device, url, token },
      text: [
        factList([
          ['service', `${deployment.service} on ${deployment.device}`],
          ['address', url],
          ['token', token],
          ['try', `curl -H "Authorization: Bearer ${token}" ${url}/health`],
        ]),
        ...(local ? [] : ['', 'The tunnel is open. Ctrl+C closes it.']),
      ].join('\n'),
      ...(!local && { hold: () => context.interruption.wait() }),
    }
  },
})
