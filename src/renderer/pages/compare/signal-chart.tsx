import type { AccuracyExplanation } from '../../../contract/analysis.ts'
import { ChartFrame } from '../../charts/chart-frame.tsx'
import { linePath } from '../../charts/paths.ts'
import { Plot } from '../../charts/plot.tsx'
import { exactAxis, valueAxis } from '../../charts/plot-axis.ts'
import { precisionColor } from '../../charts/precision-color.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels } from '../../format/shares.ts'

const HEIGHT = 230

interface SignalChartProps {
  readonly layers: AccuracyExplanation['layers']
  /** Layers of the finding that is looked at. */
  readonly evidence: ReadonlySet<string>
  readonly selected: string | null
  readonly onSelect: (layer: string) => void
}

/** Signal to noise of every layer's output in graph order: where it falls, the build loses its precision. */
export function SignalChart({ layers, evidence, selected, onSelect }: SignalChartProps) {
  const points = layers.flatMap((layer, index) => (layer.sqnrDb === null ? [] : [{ ...layer, sqnrDb: layer.sqnrDb, index }]))
  if (points.length === 0) return null
  return (
    <ChartFrame
      title="Signal to noise along the graph"
      aside="higher is closer to the baseline"
      height={HEIGHT}
      testId="signal-chart"
      table={{
        columns: ['layer', 'op', 'precision', 'sqnr_db', 'lost_db'],
        rows: layers.map(({ layer, op, precision, sqnrDb, lostDb }) => [layer, op, precision, sqnrDb, lostDb]),
      }}
    >
      {(width) => (
        <Plot
          label="Signal to noise along the graph"
          width={width}
          height={HEIGHT}
          x={exactAxis(-0.5, layers.length - 0.5, { label: 'layer, in graph order' })}
          y={valueAxis(
            points.map(({ sqnrDb }) => sqnrDb),
            { label: 'SQNR, dB', count: 5 },
          )}
          nearest="x"
          points={points.map(({ layer, op, precision, sqnrDb, lostDb, index }) => ({
            x: index,
            y: sqnrDb,
            lines: [
              plainText(layer, 100),
              `${plainText(op, 40)}, ${plainText(precision, 20)}`,
              formatDecibels(sqnrDb),
              ...(lostDb === null ? [] : [`${formatDecibels(lostDb)} lost here`]),
            ],
          }))}
          onChoose={(at) => {
            const point = points[at]
            if (point) onSelect(point.layer)
          }}
        >
          {(area) => (
            <>
              <path
                d={linePath(points.map(({ index, sqnrDb }) => [area.x(index), area.y(sqnrDb)]))}
                fill="none"
                stroke="var(--es-faint)"
                strokeWidth={1.2}
              />
              {points.map(({ layer, precision, sqnrDb, index }) => (
                <circle
                  key={`${index} ${layer}`}
                  cx={area.x(index)}
                  cy={area.y(sqnrDb)}
                  r={evidence.has(layer) || layer === selected ? 5 : 2.8}
                  fill={evidence.has(layer) ? 'var(--es-bad)' : precisionColor(precision)}
                  stroke={layer === selected ? 'var(--es-text)' : 'none'}
                  strokeWidth={1.5}
                />
              ))}
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}
