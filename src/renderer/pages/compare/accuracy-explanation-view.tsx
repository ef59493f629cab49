import { Button } from '@mantine/core'
import { useState } from 'react'
import type { AccuracyExplanation } from '../../../contract/analysis.ts'
import { useCall } from '../../backend/use-call.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { type SortedColumn, SortedTable } from '../../components/sorted-table.tsx'
import { formatCount, formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels, formatPercent, formatPoints, formatPValue } from '../../format/shares.ts'
import { SignalChart } from './signal-chart.tsx'
import classes from './slower-explanations.module.css'

interface AccuracyExplanationViewProps {
  readonly explanation: AccuracyExplanation
  readonly datasetId: string | null
  /** Goes to the layer comparison with these layers in view. */
  readonly onLayers: (layers: readonly string[]) => void
}

type LayerRow = AccuracyExplanation['layers'][number]
type ClassRow = AccuracyExplanation['classes'][number]

/** Where a build's answers get worse, each finding with its evidence a click away. */
export function AccuracyExplanationView({ explanation, datasetId, onLayers }: AccuracyExplanationViewProps) {
  const { findings, layers, classes: changed, advice, accuracyDifference, accuracyDifferenceCi95, samples } = explanation
  const { data: datasets } = useCall('datasets.list', {})
  const names = datasets?.find(({ id }) => id === datasetId)?.classNames ?? null
  const [chosen, setChosen] = useState<number | null>(null)
  const [layer, setLayer] = useState<string | null>(null)
  const finding = chosen === null ? undefined : findings[chosen]
  const evidence = new Set(finding?.layers)
  const evidenceClasses = new Set(finding?.classes)
  const shownLayers = evidence.size > 0 ? layers.filter((entry) => evidence.has(entry.layer)) : layers
  const shownClasses = evidenceClasses.size > 0 ? changed.filter((entry) => evidenceClasses.has(entry.class)) : changed
  const difference =
    accuracyDifference === null
      ? 'without labels'
      : `accuracy ${formatPoints(accuracyDifference)}${accuracyDifferenceCi95 ? ` [${formatPoints(accuracyDifferenceCi95[0])}, ${formatPoints(accuracyDifferenceCi95[1])}]` : ''}`
  const layerColumns: readonly SortedColumn<LayerRow>[] = [
    {
      key: 'layer',
      header: 'Layer',
      grow: true,
      sort: (entry) => entry.layer,
      cell: (entry) => (
        <span className="es-mono" title={plainText(entry.layer, 400)}>
          {plainText(entry.layer, 120)}
        </span>
      ),
    },
    { key: 'op', header: 'Operator', sort: ({ op }) => op, cell: ({ op }) => plainText(op, 40) },
    { key: 'precision', header: 'Precision', sort: ({ precision }) => precision, cell: ({ precision }) => plainText(precision, 20) },
    { key: 'sqnr', header: 'SQNR', align: 'right', sort: ({ sqnrDb }) => sqnrDb, cell: ({ sqnrDb }) => formatDecibels(sqnrDb) },
    {
      key: 'lost',
      header: 'Lost here',
      align: 'right',
      sort: ({ lostDb }) => lostDb,
      cell: ({ lostDb }) => (lostDb === null ? '' : formatDecibels(lostDb)),
    },
  ]
  const classColumns: readonly CutColumn<ClassRow>[] = [
    { header: 'Class', cell: (entry) => plainText(names?.[entry.class] ?? `class ${entry.class}`, 60), className: 'es-wrap' },
    { header: 'Samples', cell: ({ support }) => formatCount(support), align: 'right' },
    { header: 'Recall before', cell: ({ baselineRecall }) => formatPercent(baselineRecall), align: 'right' },
    { header: 'Recall now', cell: ({ buildRecall }) => formatPercent(buildRecall), align: 'right' },
    { header: 'Change', cell: ({ baselineRecall, buildRecall }) => formatPoints(buildRecall - baselineRecall), align: 'right' },
    { header: 'McNemar', cell: ({ pValue }) => formatPValue(pValue), align: 'right' },
  ]
  return (
    <>
      <Section title="Findings" aside={`${difference}; tensors of ${formatCounted(samples, 'sample')}`}>
        <div className={classes.body} data-testid="accuracy-findings" data-findings={findings.length}>
          {findings.length === 0 ? (
            <p className="es-dim">Nothing stands out: no single layer and no single class loses much.</p>
          ) : (
            <ol className={classes.findings}>
              {findings.map(({ rule, message, layers: named, classes: numbers }, index) => (
                <li key={`${rule} ${message}`} className="es-wrap" data-rule={rule} data-chosen={index === chosen || undefined}>
                  {plainText(message, 800)}{' '}
                  {named.length + numbers.length > 0 ? (
                    <Button
                      variant="subtle"
                      size="compact-xs"
                      aria-pressed={index === chosen}
                      onClick={() => setChosen(index === chosen ? null : index)}
                      data-testid="show-evidence"
                    >
                      {index === chosen ? 'Show everything' : 'Show the evidence'}
                    </Button>
                  ) : null}
                  {named.length > 0 ? (
                    <Button variant="subtle" size="compact-xs" onClick={() => onLayers(named)}>
                      In the graphs
                    </Button>
                  ) : null}
                </li>
              ))}
            </ol>
          )}
          {advice ? <p className={`${classes.advice} es-wrap`}>{plainText(advice, 1000)}</p> : null}
        </div>
      </Section>
      {layers.length > 0 ? (
        <>
          <SignalChart layers={layers} evidence={evidence} selected={layer} onSelect={setLayer} />
          <Section title="Layers" aside={evidence.size > 0 ? 'those of the finding' : 'in graph order'} flush>
            <SortedTable
              label="Layers"
              columns={layerColumns}
              rows={shownLayers}
              isSelected={(entry) => entry.layer === layer}
              onSelect={(entry) => setLayer(entry.layer)}
            />
          </Section>
        </>
      ) : null}
      {shownClasses.length > 0 ? (
        <Section
          title="Classes whose recall changed"
          aside={evidenceClasses.size > 0 ? 'those of the finding' : 'largest loss first'}
          flush
        >
          <CutTable columns={classColumns} rows={shownClasses} />
        </Section>
      ) : null}
    </>
  )
}
