import { defineCommand } from '../command.ts'
import { findStoredDataset } from '../references.ts'

export const datasetRenameCommand = defineCommand({
  name: 'dataset rename',
  summary: 'Give a dataset another name',
  positionals: { dataset: { description: 'name or id of a dataset' }, name: { description: 'its new name' } },
  options: {},
  examples: ['dataset rename img photos'],
  run: async (context, _options, { dataset: given, name }) => {
    const dataset = await findStoredDataset(context, given)
    const backend = await context.backend()
    const renamed = await backend.call('datasets.rename', { id: dataset.id, name })
    return { document: { dataset: renamed }, text: `${dataset.name} is called ${renamed.name} now` }
  },
})
