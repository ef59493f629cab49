import { defineCommand } from '../command.ts'
import { datasetText } from '../dataset-text.ts'
import { findDataset } from '../references.ts'

export const datasetShowCommand = defineCommand({
  name: 'dataset show',
  summary: 'Show what is known of a dataset: arrays, classes, statistics, notes, splits',
  positionals: { dataset: { description: 'name or id of a dataset, or the path of one to import' } },
  options: {},
  examples: ['dataset show fashion-mnist-test'],
  run: async (context, _options, { dataset: given }) => {
    const dataset = await findDataset(context, given)
    const backend = await context.backend()
    // Listed newest first; the parts are told in the order they were made.
    const splits = (await backend.call('datasets.list', {})).filter(({ parentId }) => parentId === dataset.id).reverse()
    return { document: { dataset, splits }, text: datasetText(dataset, splits) }
  },
})
