import { formatCount } from '../../backend/report/quantities.ts'
import type { Dataset } from '../../contract/dataset.ts'
import { defineCommand } from '../command.ts'
import { findDataset } from '../references.ts'
import { textTable } from '../text-table.ts'

/** Examples of each pair that are shown. */
const SHOWN = 5

export const datasetDuplicatesCommand = defineCommand({
  name: 'dataset duplicates',
  summary: 'Find equal and look-alike samples within datasets and between them, for example in the train and test parts of one',
  positionals: { datasets: { description: 'names or ids of datasets or splits', many: true } },
  options: {},
  notes: ['Pictures look alike when their difference hashes differ in at most 2 of 64 bits; small pictures may do so by chance.'],
  examples: ['dataset duplicates photos', 'dataset duplicates "photos train" "photos test"'],
  run: async (context, _options, { datasets: given }) => {
    const datasets: Dataset[] = []
    for (const name of given) datasets.push(await findDataset(context, name))
    const backend = await context.backend()
    const report = await backend.call('datasets.duplicates', { ids: datasets.map(({ id }) => id) })
    const nameOf = (id: string) => datasets.find((dataset) => dataset.id === id)?.name ?? id
    const rows = report.pairs.map(({ a, b, count, similar, examples }) => [
      a === b ? `within ${nameOf(a)}` : `${nameOf(b)} also in ${nameOf(a)}`,
      formatCount(count),
      formatCount(similar),
      examples
        .slice(0, SHOWN)
        .map(({ indexA, indexB, kind }) => `${indexB} ${kind === 'equal' ? '=' : '≈'} ${indexA}`)
        .join(', '),
    ])
    return {
      document: report,
      text: textTable(
        [{ title: 'samples' }, { title: 'equal', align: 'right' }, { title: 'look alike', align: 'right' }, { title: 'for example' }],
        rows,
      ),
    }
  },
})
