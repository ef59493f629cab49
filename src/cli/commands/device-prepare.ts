import { formatBytes, formatCounted, formatSpan } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { findDevice } from '../references.ts'
import { runJob } from '../run-job.ts'

export const devicePrepareCommand = defineCommand({
  name: 'device prepare',
  summary: 'Push the agent to a device now and run its self-test',
  positionals: { name: { description: 'name of the device' } },
  options: {},
  notes: ['Other commands do this by themselves when it is needed; only files that changed are sent.'],
  examples: ['device prepare pi5'],
  run: async (context, _options, { name }) => {
    const device = await findDevice(context, name)
    const pushed = await runJob(context, 'devices.prepare', { id: device.id })
    return {
      document: { device: device.name, ...pushed },
      text: `${device.name} is ready: sent ${formatCounted(pushed.sentFiles, 'file')}, ${formatBytes(pushed.sentBytes)} of ${formatBytes(pushed.totalBytes)}, in ${formatSpan(pushed.durationMs)}; agent ${pushed.agentVersion}`,
    }
  },
})
