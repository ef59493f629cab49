import type { ParityResult } from '../../../contract/parity.ts'
import { ChartFrame } from '../../charts/chart-frame.tsx'
import { linePath } from '../../charts/paths.ts'
import { Plot } from '../../charts/plot.tsx'
import { exactAxis, valueAxis } from '../../charts/plot-axis.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatDecibels } from '../../format/shares.ts'

const HEIGHT = 230
/** Beyond this float32 numbers are the same: identical tensors are drawn at its height. */
const HIGHEST_DB = 145

interface ParityChartProps {
  readonly layers: ParityResult['layers']
  readonly suspects: ReadonlySet<string>
}

/** Signal to noise of every layer between both machines, in graph order: where it falls, they part. */
export function ParityChart({ layers, suspects }: ParityChartProps) {
  const points = layers.flatMap(({ layer, op, sqnrDb, maxAbsDiff, lostDb }, index) =>
    sqnrDb === null && maxAbsDiff !== 0 ? [] : [{ layer, op, sqnrDb, lostDb, index, height: Math.min(HIGHEST_DB, sqnrDb ?? HIGHEST_DB) }],
  )
  if (points.length < 2) return null
  return (
    <ChartFrame
      title="Signal to noise along the graph"
      aside="higher is closer; identical is at the top"
      height={HEIGHT}
      testId="parity-chart"
      table={{
        columns: ['layer', 'op', 'sqnr_db', 'max_abs_diff', 'lost_db'],
        rows: layers.map(({ layer, op, sqnrDb, maxAbsDiff, lostDb }) => [layer, op, sqnrDb, maxAbsDiff, lostDb]),
      }}
    >
      {(width) => (
        <Plot
          label="Signal to noise along the graph"
          width={width}
          height={HEIGHT}
          x={exactAxis(-0.5, layers.length - 0.5, { label: 'layer, in graph order' })}
          y={valueAxis(
            points.map(({ height }) => height),
            { label: 'SQNR, dB', count: 5 },
          )}
          nearest="x"
          points={points.map(({ layer, op, sqnrDb, lostDb, index, height }) => ({
            x: index,
            y: height,
            lines: [
              plainText(layer, 100),
              plainText(op, 40),
              formatDecibels(sqnrDb),
              ...(lostDb === null ? [] : [`${formatDecibels(lostDb)} lost here`]),
            ],
          }))}
        >
          {(area) => (
            <>
              <path
                d={linePath(points.map(({ index, height }) => [area.x(index), area.y(height)]))}
                fill="none"
                stroke="var(--es-faint)"
                strokeWidth={1.2}
              />
              {points.map(({ layer, index, height }) => (
                <circle
                  key={`${index} ${layer}`}
                  cx={area.x(index)}
                  cy={area.y(height)}
                  r={suspects.has(layer) ? 5 : 2.8}
                  fill={suspects.has(layer) ? 'var(--es-bad)' : 'var(--es-series-0)'}
                />
              ))}
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}
