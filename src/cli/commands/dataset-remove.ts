import { defineCommand } from '../command.ts'
import { findStoredDataset } from '../references.ts'

export const datasetRemoveCommand = defineCommand({
  name: 'dataset remove',
  summary: 'Forget a dataset that no result and no split needs, and delete its files from the workspace',
  positionals: { dataset: { description: 'name or id of a dataset' } },
  options: {},
  notes: ['The file or folder it was imported from stays.'],
  examples: ['dataset remove photos'],
  run: async (context, _options, { dataset: given }) => {
    const dataset = await findStoredDataset(context, given)
    const backend = await context.backend()
    await backend.call('datasets.remove', { id: dataset.id })
    return { document: { dataset: dataset.name }, text: `Removed ${dataset.name}` }
  },
})
