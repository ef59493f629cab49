import type { Model } from '../../../contract/model.ts'
import { type Column, ListTable } from '../../components/list-table.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { useNow } from '../../hooks/use-now.ts'
import { recipeText } from '../../text/recipe-text.ts'
import { ModelName } from './model-name.tsx'
import { depthOf, modelKey, parentModelKey, shrinkRatio } from './model-tree.ts'
import classes from './models-table.module.css'

interface ModelsTableProps {
  readonly models: readonly Model[]
  /** Those to list, children after their parents. */
  readonly shown: readonly Model[]
  readonly selectedId: string | null
  readonly onSelect: (id: string) => void
}

/** Models and builds; builds are indented under what they were made from. */
export function ModelsTable({ models, shown, selectedId, onSelect }: ModelsTableProps) {
  const now = useNow(60_000)
  const byId = new Map(shown.map((model) => [model.id, model]))
  const allById = new Map(models.map((model) => [model.id, model]))
  const columns: readonly Column<Model>[] = [
    {
      key: 'name',
      header: 'Name',
      sort: ({ name }) => name,
      cell: (model) => <ModelName model={model} depth={depthOf(model, byId)} />,
    },
    {
      key: 'recipe',
      header: 'Recipe',
      priority: 2,
      sort: ({ recipe }) => (recipe ? recipeText(recipe) : null),
      cell: ({ recipe }) => (recipe ? <span className="es-dim">{recipeText(recipe)}</span> : <span className="es-dim">original</span>),
    },
    {
      key: 'size',
      header: 'Size',
      align: 'right',
      sort: ({ sizeBytes }) => sizeBytes,
      cell: (model) => <SizeCell model={model} ratio={shrinkRatio(model, allById)} />,
    },
    {
      key: 'parameters',
      header: 'Parameters',
      align: 'right',
      priority: 3,
      sort: ({ report }) => report.parameters,
      cell: ({ report }) => <span className="es-num">{formatLargeCount(report.parameters)}</span>,
    },
    {
      key: 'macs',
      header: 'MACs',
      align: 'right',
      priority: 3,
      sort: ({ report }) => report.macs,
      cell: ({ report }) => <span className="es-num">{formatLargeCount(report.macs)}</span>,
    },
    {
      key: 'opset',
      header: 'Opset',
      align: 'right',
      priority: 3,
      sort: ({ report }) => report.opset,
      cell: ({ report }) => <span className="es-num">{report.opset}</span>,
    },
    {
      key: 'created',
      header: 'Created',
      align: 'right',
      priority: 2,
      sort: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => (
        <span className="es-dim es-num" title={formatExactMoment(createdAt)}>
          {formatMoment(createdAt, now)}
        </span>
      ),
    },
  ]
  if (shown.length === 0) return <div className={classes.none}>No model matches the filter.</div>
  return (
    <ListTable
      label="Models and builds"
      columns={columns}
      rows={shown}
      rowKey={modelKey}
      parentKey={parentModelKey}
      selectedKey={selectedId}
      onSelect={onSelect}
      rowTestId={({ name }) => `model-row-${plainText(name)}`}
    />
  )
}

function SizeCell({ model, ratio }: { model: Model; ratio: number | null }) {
  return (
    <span className="es-num">
      {formatBytes(model.sizeBytes)}
      <span className={classes.ratio} title={ratio === null ? undefined : 'Times smaller than what it was made from'}>
        {ratio === null ? '' : formatRatio(ratio)}
      </span>
    </span>
  )
}
