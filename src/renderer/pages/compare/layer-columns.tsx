import type { LayerComparison } from '../../../contract/analysis.ts'
import { precisionColor } from '../../charts/precision-color.ts'
import type { SortedColumn } from '../../components/sorted-table.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels } from '../../format/shares.ts'

/** A layer of both builds. */
export type LayerRow = LayerComparison['layers'][number]

function precisionText({ baseline, build }: LayerRow): string {
  const [before, now] = [baseline?.precision ?? 'none', build?.precision ?? 'none']
  return before === now ? before : `${before} → ${now}`
}

function kernelText({ baseline, build }: LayerRow): string {
  const [before, now] = [baseline?.kernels.join(', ') ?? 'none', build?.kernels.join(', ') ?? 'none']
  return before === now ? before : `${before} → ${now}`
}

/** Columns of the layer table. */
export const layerColumns: readonly SortedColumn<LayerRow>[] = [
  {
    key: 'layer',
    header: 'Layer',
    grow: true,
    sort: ({ layer }) => layer,
    cell: ({ layer }) => (
      <span className="es-mono" title={plainText(layer, 400)}>
        {plainText(layer, 120)}
      </span>
    ),
  },
  { key: 'op', header: 'Operator', sort: ({ op }) => op, cell: ({ op }) => plainText(op, 40) },
  {
    key: 'baseline',
    header: 'Baseline',
    align: 'right',
    sort: ({ baseline }) => baseline?.ms ?? null,
    cell: ({ baseline }) => formatMs(baseline?.ms),
  },
  { key: 'build', header: 'Build', align: 'right', sort: ({ build }) => build?.ms ?? null, cell: ({ build }) => formatMs(build?.ms) },
  {
    key: 'lost',
    header: 'Difference',
    align: 'right',
    sort: ({ lostMs }) => lostMs,
    cell: ({ lostMs }) => (
      <span style={{ color: lostMs > 0 ? 'var(--es-bad)' : lostMs < 0 ? 'var(--es-good)' : undefined }}>
        {lostMs > 0 ? '+' : ''}
        {formatMs(lostMs)}
      </span>
    ),
  },
  {
    key: 'precision',
    header: 'Precision',
    sort: precisionText,
    cell: (row) => <span style={{ color: precisionColor(row.build?.precision ?? null) }}>{plainText(precisionText(row), 40)}</span>,
  },
  {
    key: 'sqnr',
    header: 'SQNR',
    align: 'right',
    sort: ({ sqnrDb }) => sqnrDb,
    cell: ({ sqnrDb, maxAbsDiff }) => signal(sqnrDb, maxAbsDiff),
  },
  {
    key: 'difference',
    header: 'Largest',
    align: 'right',
    sort: ({ maxAbsDiff }) => maxAbsDiff,
    cell: ({ maxAbsDiff }) => (maxAbsDiff === null ? NOTHING : formatSignificant(maxAbsDiff)),
  },
  {
    key: 'kernels',
    header: 'Kernels',
    grow: true,
    sort: kernelText,
    cell: (row) => <span title={plainText(kernelText(row), 400)}>{plainText(kernelText(row), 120)}</span>,
  },
]

/** No SQNR with a difference of zero is identity; without a difference the layer was not compared. */
function signal(sqnrDb: number | null, maxAbsDiff: number | null): string {
  return sqnrDb === null && maxAbsDiff === null ? NOTHING : formatDecibels(sqnrDb)
}
