import { useCallback } from 'react'
import { formatCount, formatCounted } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatRoughPercent } from '../format/shares.ts'
import { ChartFrame } from './chart-frame.tsx'
import { HeatMap } from './heat-map.tsx'

interface ConfusionChartProps {
  readonly classes: number
  /** Row-major [classes, classes], row is the true class. */
  readonly confusion: readonly number[]
  readonly className: (index: number) => string
  /** A cell was chosen. */
  readonly onChoose: (label: number, predicted: number) => void
}

/** Up to so many classes the counts are written into the cells, up to twice as many the names beside them. */
const WRITTEN = 16
const NAMED = 32

/** True against answered classes. Each row is scaled by its number of samples; mistakes have their own colour. */
export function ConfusionChart({ classes, confusion, className, onChoose }: ConfusionChartProps) {
  const count = useCallback((label: number, predicted: number) => confusion[label * classes + predicted] ?? 0, [confusion, classes])
  const support = useCallback(
    (label: number) => confusion.slice(label * classes, (label + 1) * classes).reduce((sum, value) => sum + value, 0),
    [confusion, classes],
  )
  const cell = useCallback(
    (label: number, predicted: number) => ({
      // Square root: one mistake in a hundred still shows.
      strength: Math.sqrt(count(label, predicted) / Math.max(1, support(label))) * 0.9,
      color: label === predicted ? ('--es-series-0' as const) : ('--es-bad' as const),
    }),
    [count, support],
  )
  const labels = Array.from({ length: classes }, (_, index) => plainText(className(index), 16))
  const named = classes <= NAMED
  const left = named ? Math.min(120, Math.max(...labels.map(({ length }) => length), 2) * 6.4 + 26) : 40
  const height = named ? Math.max(260, Math.min(680, classes * 30 + 74)) : 560
  return (
    <ChartFrame
      title="Confusion matrix"
      note="Rows: expected; columns: answered. A click or Enter shows the worst samples of that class."
      height={height}
      testId="confusion"
      table={{
        columns: ['expected', 'answered', 'samples'],
        rows: confusion.flatMap((samples, index) =>
          samples > 0 ? [[className(Math.floor(index / classes)), className(index % classes), samples]] : [],
        ),
      }}
    >
      {(width) => (
        <HeatMap
          label="Confusion matrix"
          rows={classes}
          columns={classes}
          width={Math.min(width, Math.max(height * 1.5, 380))}
          height={height}
          margins={{ left, top: 4, right: 8, bottom: named ? 58 : 24 }}
          cell={cell}
          onChoose={onChoose}
          lines={(label, predicted) => [
            label === predicted
              ? `${plainText(className(label), 60)}, right`
              : `${plainText(className(label), 60)} taken for ${plainText(className(predicted), 60)}`,
            `${formatCounted(count(label, predicted), 'sample')} of ${formatCount(support(label))}, ${formatRoughPercent(count(label, predicted) / Math.max(1, support(label)))}`,
          ]}
        >
          {(size) => (
            <g fontSize={11} fill="var(--es-dim)" pointerEvents="none">
              {named
                ? labels.map((name, index) => (
                    <g key={`${index} ${name}`}>
                      <text x={left - 6} y={4 + (index + 0.5) * size.height} dy="0.32em" textAnchor="end">
                        {name}
                      </text>
                      <text textAnchor="end" transform={`translate(${left + (index + 0.5) * size.width + 4} ${height - 46}) rotate(-35)`}>
                        {name}
                      </text>
                    </g>
                  ))
                : null}
              {classes <= WRITTEN
                ? confusion.map((samples, index) =>
                    samples > 0 ? (
                      <text
                        key={index}
                        x={left + ((index % classes) + 0.5) * size.width}
                        y={4 + (Math.floor(index / classes) + 0.5) * size.height}
                        dy="0.32em"
                        textAnchor="middle"
                        fill={cell(Math.floor(index / classes), index % classes).strength > 0.5 ? 'var(--es-panel)' : 'var(--es-text)'}
                      >
                        {formatCount(samples)}
                      </text>
                    ) : null,
                  )
                : null}
            </g>
          )}
        </HeatMap>
      )}
    </ChartFrame>
  )
}
