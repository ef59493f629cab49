import { formatBytes, formatCount } from '../../backend/report/quantities.ts'
import { defineCommand } from '../command.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const modelsCommand = defineCommand({
  name: 'models',
  summary: 'List the models and builds of the workspace',
  positionals: {},
  options: {},
  examples: ['models'],
  run: async (context) => {
    const backend = await context.backend()
    const models = await backend.call('models.list', {})
    const nameOf = new Map(models.map(({ id, name }) => [id, name]))
    const rows = models.map((model) => [
      model.name,
      model.recipe?.map(({ recipe }) => recipe).join(' + ') ?? 'imported',
      model.parentId === null ? '' : (nameOf.get(model.parentId) ?? ''),
      formatBytes(model.sizeBytes),
      formatCount(model.report.parameters),
      shortMoment(model.createdAt),
      shortId(model.id),
    ])
    return {
      document: { models },
      text:
        rows.length === 0
          ? 'No models yet: any command takes the path of an .onnx file and keeps the model.'
          : textTable(
              [
                { title: 'name' },
                { title: 'made by' },
                { title: 'from' },
                { title: 'size', align: 'right' },
                { title: 'parameters', align: 'right' },
                { title: 'since' },
                { title: 'id' },
              ],
              rows,
            ),
    }
  },
})
