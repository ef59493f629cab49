import { useCallback } from 'react'
import type { RegressionDetail } from '../../contract/evaluation.ts'
import { formatCounted, formatSignificant } from '../format/numbers.ts'
import { ChartFrame } from './chart-frame.tsx'
import { HeatMap } from './heat-map.tsx'

const HEIGHT = 320
const MARGINS = { left: 62, top: 8, right: 10, bottom: 40 } as const

/** Residuals (predicted − actual) over predicted values, as counts of samples. */
export function ResidualChart({ residuals }: { residuals: RegressionDetail['residuals'] }) {
  const { predictedEdges, residualEdges, counts } = residuals
  const columns = Math.max(1, predictedEdges.length - 1)
  const rows = Math.max(1, residualEdges.length - 1)
  const most = Math.max(...counts, 1)
  // Stored from the lowest residual up, drawn from the top down.
  const count = useCallback((row: number, column: number) => counts[(rows - 1 - row) * columns + column] ?? 0, [counts, rows, columns])
  const cell = useCallback(
    (row: number, column: number) => ({ strength: Math.sqrt(count(row, column) / most), color: '--es-series-0' as const }),
    [count, most],
  )
  const [low = 0, high = 1] = [residualEdges[0], residualEdges.at(-1)]
  const zero = MARGINS.top + (HEIGHT - MARGINS.top - MARGINS.bottom) * (high / (high - low || 1))
  return (
    <ChartFrame
      title="Residuals"
      aside="predicted − actual"
      height={HEIGHT}
      testId="residuals"
      note="A cloud around the dashed line at 0 is what chance looks like. A slope or a curve means that the model is wrong in a way that could be learned."
      table={{
        columns: ['predicted_from', 'predicted_to', 'residual_from', 'residual_to', 'samples'],
        rows: counts.flatMap((samples, index) => {
          const [row, column] = [Math.floor(index / columns), index % columns]
          return samples === 0
            ? []
            : [
                [
                  predictedEdges[column] ?? null,
                  predictedEdges[column + 1] ?? null,
                  residualEdges[row] ?? null,
                  residualEdges[row + 1] ?? null,
                  samples,
                ],
              ]
        }),
      }}
    >
      {(width) => (
        <HeatMap
          label="Residuals"
          rows={rows}
          columns={columns}
          width={width}
          height={HEIGHT}
          margins={MARGINS}
          cell={cell}
          lines={(row, column) => [
            formatCounted(count(row, column), 'sample'),
            `predicted ${formatSignificant(predictedEdges[column] ?? 0)} to ${formatSignificant(predictedEdges[column + 1] ?? 0)}`,
            `residual ${formatSignificant(residualEdges[rows - 1 - row] ?? 0)} to ${formatSignificant(residualEdges[rows - row] ?? 0)}`,
          ]}
        >
          {() => (
            <g fontSize={11} fill="var(--es-dim)">
              <text x={MARGINS.left - 6} y={MARGINS.top} dy="0.7em" textAnchor="end">
                {formatSignificant(high)}
              </text>
              <text x={MARGINS.left - 6} y={HEIGHT - MARGINS.bottom} textAnchor="end">
                {formatSignificant(low)}
              </text>
              <text x={MARGINS.left} y={HEIGHT - MARGINS.bottom + 15}>
                {formatSignificant(predictedEdges[0] ?? 0)}
              </text>
              <text x={width - MARGINS.right} y={HEIGHT - MARGINS.bottom + 15} textAnchor="end">
                {formatSignificant(predictedEdges.at(-1) ?? 1)}
              </text>
              <text x={(width + MARGINS.left) / 2} y={HEIGHT - 6} textAnchor="middle">
                predicted value
              </text>
              <text transform={`translate(12 ${HEIGHT / 2 - 12}) rotate(-90)`} textAnchor="middle">
                residual
              </text>
              {low < 0 && high > 0 ? (
                <line x1={MARGINS.left} x2={width - MARGINS.right} y1={zero} y2={zero} stroke="var(--es-ember)" strokeDasharray="5 4" />
              ) : null}
            </g>
          )}
        </HeatMap>
      )}
    </ChartFrame>
  )
}
