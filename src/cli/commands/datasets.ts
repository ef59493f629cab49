import { formatBytes, formatCount, formatShape } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const datasetsCommand = defineCommand({
  name: 'datasets',
  summary: 'List the datasets of the workspace',
  positionals: {},
  options: {},
  examples: ['datasets'],
  run: async (context) => {
    const backend = await context.backend()
    const datasets = await backend.call('datasets.list', {})
    const rows = datasets.map(({ name, format, report, createdAt, id }) => [
      name,
      format,
      formatCount(report.samples),
      report.labelled ? formatCount(Object.keys(report.classCounts ?? {}).length) : 'no labels',
      report.arrays.map((array) => `${array.name} ${array.type} ${formatShape(array.shape)}`).join(', '),
      formatBytes(report.sizeBytes),
      shortMoment(createdAt),
      shortId(id),
    ])
    return {
      document: { datasets },
      text:
        rows.length === 0
          ? 'No datasets yet: any command takes the path of an .npz or IDX file and keeps the dataset.'
          : textTable(
              [
                { title: 'name' },
                { title: 'format' },
                { title: 'samples', align: 'right' },
                { title: 'classes', align: 'right' },
                { title: 'arrays' },
                { title: 'size', align: 'right' },
                { title: 'since' },
                { title: 'id' },
              ],
              rows,
            ),
    }
  },
})
