import { defineCommand } from '../command.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const runsCommand = defineCommand({
  name: 'runs',
  summary: 'List the comparisons that reports can be made of',
  positionals: {},
  options: {},
  examples: ['runs'],
  run: async (context) => {
    const backend = await context.backend()
    const comparisons = await backend.call('comparisons.list', {})
    const rows = comparisons.map(({ id, createdAt, baseline, rows: models, device, dataset }) => [
      shortId(id),
      shortMoment(createdAt),
      baseline,
      String(models.length - 1),
      device,
      dataset ?? 'none',
    ])
    return {
      document: { comparisons },
      text:
        rows.length === 0
          ? 'No comparisons yet: edgesmith compare makes one.'
          : textTable(
              [
                { title: 'id' },
                { title: 'when' },
                { title: 'baseline' },
                { title: 'models', align: 'right' },
                { title: 'device' },
                { title: 'dataset' },
              ],
              rows,
            ),
    }
  },
})
