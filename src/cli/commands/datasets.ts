import { formatBytes, formatCount, formatShape } from '../../backend/report/quantities.ts'
import type { Dataset } from '../../contract/dataset.ts'
import { defineCommand } from '../command.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const datasetsCommand = defineCommand({
  name: 'datasets',
  summary: 'List the datasets of the workspace, splits below what they are parts of',
  positionals: {},
  options: {},
  examples: ['datasets'],
  run: async (context) => {
    const backend = await context.backend()
    const datasets = await backend.call('datasets.list', {})
    const rows = withDepth(datasets, null, 0).map(({ dataset: { name, format, report, createdAt, id }, depth }) => [
      `${depth > 0 ? `${'└'.repeat(depth)} ` : ''}${name}`,
      format,
      formatCount(report.samples),
      report.classCounts ? formatCount(Object.keys(report.classCounts).length) : report.targets ? 'values' : 'no labels',
      report.arrays.map((array) => `${array.name} ${array.type} ${formatShape(array.shape)}`).join(', '),
      formatBytes(report.sizeBytes),
      shortMoment(createdAt),
      shortId(id),
    ])
    return {
      document: { datasets },
      text:
        rows.length === 0
          ? 'No datasets yet: edgesmith dataset add PATH imports .npz, .npy, IDX, .csv and folders of images, and any command takes such a path.'
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

/** Datasets in the given order, each followed by its splits (the oldest first, as they were made). */
function withDepth(datasets: readonly Dataset[], parentId: string | null, depth: number): { dataset: Dataset; depth: number }[] {
  const own = datasets.filter((dataset) => dataset.parentId === parentId)
  const ordered = parentId === null ? own : [...own].reverse()
  return ordered.flatMap((dataset) => [{ dataset, depth }, ...withDepth(datasets, dataset.id, depth + 1)])
}
