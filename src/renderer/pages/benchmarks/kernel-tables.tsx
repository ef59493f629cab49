import { SegmentedControl } from '@mantine/core'
import { useState } from 'react'
import type { ProfiledKernelRow, ProfileResult } from '../../../contract/analysis.ts'
import { precisionColor } from '../../charts/precision-color.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import { Section } from '../../components/section.tsx'
import { type SortedColumn, SortedTable } from '../../components/sorted-table.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import { matchesWords } from './run-filter.ts'

interface KernelTablesProps {
  readonly profile: ProfileResult
  /** Milliseconds in all kernels. */
  readonly total: number
  readonly selectedLayer: string | null
  readonly onSelect: (layer: string) => void
}

type LayerRow = ProfileResult['byLayer'][number]

/** Every kernel, or every layer of the model, to be sorted and filtered. */
export function KernelTables({ profile, total, selectedLayer, onSelect }: KernelTablesProps) {
  const [by, setBy] = useState<'layer' | 'kernel'>('layer')
  const [filter, setFilter] = useState('')
  const share = (ms: number) => (total > 0 ? ms / total : 0)
  const layers: readonly SortedColumn<LayerRow>[] = [
    { key: 'layer', header: 'Layer', grow: true, sort: ({ layer }) => layer, cell: ({ layer }) => <Name text={layer} /> },
    { key: 'op', header: 'Operator', sort: ({ op }) => op, cell: ({ op }) => plainText(op, 40) },
    {
      key: 'kernels',
      header: 'Kernels',
      grow: true,
      sort: ({ kernels }) => kernels.join(' '),
      cell: ({ kernels }) => plainText(kernels.join(', '), 120),
    },
    {
      key: 'precision',
      header: 'Precision',
      sort: ({ precision }) => precision,
      cell: ({ precision }) => <Precision precision={precision} />,
    },
    { key: 'ms', header: 'Time', align: 'right', sort: ({ ms }) => ms, cell: ({ ms }) => formatMs(ms) },
    { key: 'share', header: 'Share', align: 'right', sort: ({ ms }) => ms, cell: ({ ms }) => formatRoughPercent(share(ms)) },
    { key: 'macs', header: 'MACs', align: 'right', sort: ({ macs }) => macs, cell: ({ macs }) => formatLargeCount(macs) },
    { key: 'bytes', header: 'Moved', align: 'right', sort: ({ bytes }) => bytes, cell: ({ bytes }) => formatBytes(bytes) },
  ]
  const kernels: readonly SortedColumn<ProfiledKernelRow>[] = [
    { key: 'kernel', header: 'Kernel', grow: true, sort: ({ kernel }) => kernel, cell: ({ kernel }) => plainText(kernel, 60) },
    { key: 'layer', header: 'Layer', grow: true, sort: ({ layer }) => layer, cell: ({ layer }) => <Name text={layer} /> },
    {
      key: 'precision',
      header: 'Precision',
      sort: ({ precision }) => precision,
      cell: ({ precision }) => <Precision precision={precision} />,
    },
    { key: 'shape', header: 'Output', sort: () => null, cell: ({ outputShape }) => formatShape(outputShape) },
    { key: 'ms', header: 'Time', align: 'right', sort: ({ ms }) => ms, cell: ({ ms }) => formatMs(ms) },
    { key: 'share', header: 'Share', align: 'right', sort: ({ ms }) => ms, cell: ({ ms }) => formatRoughPercent(share(ms)) },
    { key: 'macs', header: 'MACs', align: 'right', sort: ({ macs }) => macs, cell: ({ macs }) => formatLargeCount(macs) },
    {
      key: 'weights',
      header: 'Weights',
      align: 'right',
      sort: ({ weightBytes }) => weightBytes,
      cell: ({ weightBytes }) => formatBytes(weightBytes),
    },
    {
      key: 'moved',
      header: 'In and out',
      align: 'right',
      sort: ({ inputBytes, outputBytes }) => inputBytes + outputBytes,
      cell: ({ inputBytes, outputBytes }) => formatBytes(inputBytes + outputBytes),
    },
  ]
  const shownLayers = profile.byLayer.filter(({ layer, op, kernels: names, precision }) =>
    matchesWords(`${layer} ${op} ${names.join(' ')} ${precision}`, filter),
  )
  const shownKernels = profile.kernels.filter(({ kernel, layer, nodes, precision }) =>
    matchesWords(`${kernel} ${layer} ${nodes.join(' ')} ${precision}`, filter),
  )
  return (
    <Section
      title={by === 'layer' ? 'Layers' : 'Kernels'}
      aside={
        <>
          <SegmentedControl
            data={[
              { value: 'layer', label: 'By layer' },
              { value: 'kernel', label: 'By kernel' },
            ]}
            value={by}
            onChange={(value) => setBy(value === 'kernel' ? 'kernel' : 'layer')}
            aria-label="Rows of the table"
          />
          <FilterBox value={filter} onChange={setFilter} label={by === 'layer' ? 'Filter layers' : 'Filter kernels'} />
        </>
      }
      flush
    >
      {by === 'layer' ? (
        <SortedTable
          label="Layers"
          columns={layers}
          rows={shownLayers}
          isSelected={({ layer }) => layer === selectedLayer}
          onSelect={({ layer }) => onSelect(layer)}
          first={{ key: 'ms', descending: true }}
        />
      ) : (
        <SortedTable
          label="Kernels"
          columns={kernels}
          rows={shownKernels}
          isSelected={({ layer }) => layer === selectedLayer}
          onSelect={({ layer }) => onSelect(layer)}
          first={{ key: 'ms', descending: true }}
        />
      )}
    </Section>
  )
}

function Name({ text }: { text: string }) {
  return (
    <span className="es-mono" title={plainText(text, 400)}>
      {plainText(text, 120)}
    </span>
  )
}

function Precision({ precision }: { precision: string }) {
  return <span style={{ color: precisionColor(precision) }}>{plainText(precision, 20)}</span>
}
