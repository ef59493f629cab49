import { SegmentedControl } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { LayerComparison } from '../../../contract/analysis.ts'
import { FilterBox } from '../../components/filter-box.tsx'
import { Section } from '../../components/section.tsx'
import { SortedTable } from '../../components/sorted-table.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatCount, formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { matchesWords } from '../benchmarks/run-filter.ts'
import { GraphLegend } from './graph-legend.tsx'
import { type GraphColoring, slowestNodeMs } from './graph-look.ts'
import { type LayerRow, layerColumns } from './layer-columns.tsx'
import { LayerGraph } from './layer-graph.tsx'
import classes from './layers-view.module.css'

interface LayersViewProps {
  readonly comparison: LayerComparison
  readonly baseline: string
  readonly build: string
  /** Layers that a finding names: they are shown first. */
  readonly evidence: readonly string[]
}

/** Two builds layer by layer: a table, and both graphs with the same selection. */
export function LayersView({ comparison, baseline, build, evidence }: LayersViewProps) {
  const { layers, baselineGraph, buildGraph, baselineMs, buildMs, samples, inputs, warnings } = comparison
  const [selected, setSelected] = useState<string | null>(evidence[0] ?? null)
  const [coloring, setColoring] = useState<GraphColoring>('time')
  const [filter, setFilter] = useState('')
  const [onlyEvidence, setOnlyEvidence] = useState(evidence.length > 0)
  const named = useMemo(() => new Set(evidence), [evidence])
  const slowestMs = useMemo(() => slowestNodeMs([baselineGraph, buildGraph]), [baselineGraph, buildGraph])
  const shown = useMemo(
    () => layers.filter((row) => (!onlyEvidence || named.has(row.layer)) && matchesWords(layerText(row), filter)),
    [layers, onlyEvidence, named, filter],
  )
  return (
    <>
      <WarningList warnings={warnings} />
      <Section
        title="Graphs"
        aside={
          <SegmentedControl
            data={[
              { value: 'time', label: 'Time' },
              { value: 'precision', label: 'Precision' },
              { value: 'sqnr', label: 'SQNR' },
            ]}
            value={coloring}
            onChange={(value) => setColoring(value as GraphColoring)}
            aria-label="Colour by"
            data-testid="graph-coloring"
          />
        }
      >
        <div className={classes.graphs}>
          {[
            { side: 'baseline', name: baseline, graph: baselineGraph, ms: baselineMs },
            { side: 'build', name: build, graph: buildGraph, ms: buildMs },
          ].map(({ side, name, graph, ms }) => (
            <figure key={side} className={classes.figure} data-testid={`graph-${side}`} data-nodes={graph.nodes.length}>
              <figcaption className={classes.caption}>
                <strong className="es-ellipsis">{plainText(name, 60)}</strong>
                <span className="es-dim es-num">
                  {formatMs(ms)} · {formatCounted(graph.nodes.length, 'node')}
                  {graph.truncated ? ', the first only' : ''}
                </span>
              </figcaption>
              <LayerGraph graph={graph} coloring={coloring} slowestMs={slowestMs} selected={selected} onSelect={setSelected} label={name} />
            </figure>
          ))}
        </div>
        <GraphLegend coloring={coloring} slowestMs={slowestMs} />
      </Section>
      <Section
        title="Layers"
        aside={
          <>
            {named.size > 0 ? (
              <SegmentedControl
                data={[
                  { value: 'evidence', label: 'Of the finding' },
                  { value: 'all', label: 'All' },
                ]}
                value={onlyEvidence ? 'evidence' : 'all'}
                onChange={(value) => setOnlyEvidence(value === 'evidence')}
                aria-label="Which layers"
              />
            ) : null}
            <span>
              {formatCount(shown.length)} of {formatCount(layers.length)}; SQNR over {formatCounted(samples, 'sample')} of{' '}
              {plainText(inputs, 60)}
            </span>
            <FilterBox value={filter} onChange={setFilter} label="Filter layers" />
          </>
        }
        flush
      >
        <SortedTable
          label="Layers of both builds"
          columns={layerColumns}
          rows={shown}
          isSelected={({ layer }) => layer === selected}
          onSelect={({ layer }) => setSelected(layer)}
          rowTestId={({ layer }) => `layer-${plainText(layer)}`}
        />
      </Section>
    </>
  )
}

function layerText({ layer, op, baseline, build }: LayerRow): string {
  const sides = [baseline, build].flatMap((side) => (side ? [...side.kernels, side.precision] : ['missing']))
  return [layer, op, ...sides].join(' ')
}
