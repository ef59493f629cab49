import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { settingsChoices, settingsOptions } from '../serving/service-options.ts'
import { factList } from '../text-table.ts'
import { deviceUrl, servingInput, servingOptions } from './deploy.ts'

/** How often the log is looked at for new lines. */
const LOG_INTERVAL_MS = 1000
/** Without what would outlive it: clients and system units. */
const { 'api-key': _key, 'revoke-api-key': _revoke, webhook: _webhook, system: _system, yes: _yes, ...ownSettings } = settingsOptions

export const serveCommand = defineCommand({
  name: 'serve',
  summary: 'Serve a model on this computer in the foreground, until Ctrl+C',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: { ...servingOptions, ...ownSettings },
  notes: [
    'It listens on loopback only unless --open says otherwise, and asks for the token it prints. The service’s log goes to standard error.',
  ],
  examples: ['serve model-int8.onnx --port 8080'],
  run: async (context, options, { model: modelText }) => {
    const model = await findModel(context, modelText)
    const input = await servingInput(context, options)
    const settings = settingsChoices({ ...options, 'api-key': [], 'revoke-api-key': [], webhook: undefined }, undefined)
    const backend = await context.backend()
    // A name of its own: it neither replaces a deployed service nor is replaced by another `serve`.
    const service = `serve-${process.pid}`
    const deployment = await runJob(context, 'deploy.start', {
      ...input,
      modelId: model.id,
      deviceId: LOCAL_DEVICE_ID,
      service,
      port: options.port,
      settings,
      rollout: { watchSeconds: 0 },
      supervise: 'process',
    }).catch(async (error: unknown) => {
      // A deployed service keeps a failed first release to be looked at; nobody would come back to this one.
      const failed = (await backend.call('deployments.list', {})).find((candidate) => candidate.service === service)
      if (failed) await backend.call('deployments.remove', { id: failed.id })
      throw error
    })
    // From here on Ctrl+C must remove the service, also before its address is printed.
    const interrupted = context.interruption.wait()
    const { token } = await backend.call('deployments.connect', { id: deployment.id }).catch(async (error: unknown) => {
      await backend.call('deployments.remove', { id: deployment.id })
      throw error
    })
    const url = deviceUrl(deployment)
    return {
      document: { model: model.name, release: deployment.release, url, token },
      text: [
        factList([
          ['model', model.name],
          ['address', url],
          ['token', token],
          ['try', `curl -H "Authorization: Bearer ${token}" ${url}/health`],
          ['documentation', `${url}/docs`],
        ]),
        '',
        'Ctrl+C stops it.',
      ].join('\n'),
      hold: () => followUntil(interrupted, context, deployment.id),
    }
  },
})

/** Passes new log lines on until Ctrl+C, then removes the service. */
async function followUntil(interrupted: Promise<void>, context: CommandContext, id: string): Promise<void> {
  const { terminal } = context
  const backend = await context.backend()
  let stopped = false
  void interrupted.then(() => {
    stopped = true
  })
  let shown = ''
  try {
    while (!stopped) {
      const { text } = await backend.call('deployments.logs', { id, lines: 500 })
      const fresh = text.startsWith(shown) ? text.slice(shown.length) : text
      if (fresh.trim() !== '') terminal.note(fresh.replace(/^\n|\n$/g, ''))
      shown = text
      await Promise.race([interrupted, new Promise((resolve) => setTimeout(resolve, LOG_INTERVAL_MS))])
    }
  } finally {
    await backend.call('deployments.remove', { id })
    terminal.note('Stopped.')
  }
}
