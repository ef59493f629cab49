import { formatBytes, formatCount, formatPercent, formatShape } from '../../backend/report/quantities.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model, ModelReport } from '../../contract/model.ts'
import { defineCommand } from '../command.ts'
import { findModel } from '../references.ts'
import { factList, textTable } from '../text-table.ts'

/** Operators listed for people; `--json` has them all. */
const MAX_OPERATORS = 30

export const inspectCommand = defineCommand({
  name: 'inspect',
  summary: 'Inputs, outputs, operators, parameters and size of a model',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {},
  notes: ['A file that was not in the workspace before is checked and looked at, and not kept.'],
  examples: ['inspect resnet50.onnx', 'inspect fashion-cnn --json'],
  run: async (context, _options, { model: text }) => {
    const backend = await context.backend()
    const before = new Set((await backend.call('models.list', {})).map(({ id }) => id))
    const model = await findModel(context, text)
    try {
      const report = await backend.call('models.inspect', { id: model.id })
      const { name, kind, recipe, target, parentId } = model
      return { document: { name, kind, recipe, target, parentId, ...report }, text: describeReport(model, report) }
    } finally {
      if (!before.has(model.id)) await backend.call('models.remove', { id: model.id }).catch(ignoreInUse)
    }
  },
})

/** The window may have begun to use the model meanwhile: then it stays. */
function ignoreInUse(error: unknown): void {
  if (!(error instanceof EdgesmithError) || error.code !== 'IN_USE') throw error
}

function describeReport({ name, kind, recipe }: Model, report: ModelReport): string {
  const operators = Object.entries(report.opCounts).sort(([a, countA], [b, countB]) => countB - countA || a.localeCompare(b))
  const ports = [
    ...report.inputs.map((port) => ['input', port.name, port.type, formatShape(port.shape)]),
    ...report.outputs.map((port) => ['output', port.name, port.type, formatShape(port.shape)]),
  ]
  return [
    factList([
      ['name', name],
      ['kind', recipe ? `${kind} (${recipe.map((step) => step.recipe).join(' + ')})` : kind],
      ['size', `${formatBytes(report.sizeBytes)} (${formatCount(report.sizeBytes)} bytes)`],
      ['SHA-256', report.sha256],
      ['producer', report.producer || null],
      [
        'opset',
        `${report.opset}${Object.entries(report.domains)
          .filter(([domain]) => domain !== 'ai.onnx')
          .map(([domain, version]) => `, ${domain} ${version}`)
          .join('')}`,
      ],
      ['nodes', formatCount(report.nodeCount)],
      [
        'parameters',
        `${formatCount(report.parameters)} (${formatBytes(report.parameterBytes)}), ${formatPercent(report.zeroFraction)} are zero`,
      ],
      [
        'weight types',
        Object.entries(report.weightTypes)
          .map(([type, bytes]) => `${type} ${formatBytes(bytes)}`)
          .join(', ') || 'none',
      ],
      [
        'MACs',
        `${report.macs === null ? 'unknown' : formatCount(report.macs)}${report.uncountedNodes > 0 ? ` (${formatCount(report.uncountedNodes)} nodes not counted)` : ''}`,
      ],
      ['labels', report.labels && `${report.labels.length}: ${report.labels.join(', ')}`],
      ...Object.entries(report.metadata).map(([key, value]) => [`metadata ${key}`, value] as const),
    ]),
    '',
    textTable([{ title: '' }, { title: 'name' }, { title: 'type' }, { title: 'shape' }], ports),
    '',
    textTable(
      [{ title: 'operator' }, { title: 'nodes', align: 'right' }],
      operators.slice(0, MAX_OPERATORS).map(([op, count]) => [op, formatCount(count)]),
    ),
    ...(operators.length > MAX_OPERATORS ? [`… and ${operators.length - MAX_OPERATORS} more operators`] : []),
  ].join('\n')
}
