import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { required, text } from '../option.ts'
import { findDeployment } from '../references.ts'
import { runJob } from '../run-job.ts'
import { serviceOptions, servicePositional } from '../service-arguments.ts'

export const predictionsCommand = defineCommand({
  name: 'predictions',
  summary: 'Write the predictions that a service logged to a file',
  positionals: servicePositional,
  options: { ...serviceOptions, out: required(text('FILE', 'a .csv (one column for each value) or .jsonl file')) },
  notes: ['A service logs predictions where it was deployed with --log-predictions. Their inputs are private data.'],
  examples: ['predictions classifier --out predictions.csv'],
  run: async (context, options, { service }) => {
    const { id } = await findDeployment(context, service, options.device)
    const written = await runJob(context, 'predictions.export', { deploymentId: id, path: resolve(context.workingFolder, options.out) })
    return { document: written, text: `${written.path}: ${written.rows} predictions` }
  },
})
