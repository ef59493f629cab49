import type { ClassificationDetail } from '../../contract/evaluation.ts'
import { formatCounted } from '../format/numbers.ts'
import { formatPercent, formatRoughPercent } from '../format/shares.ts'
import { ChartFrame } from './chart-frame.tsx'
import { Plot } from './plot.tsx'
import { exactAxis } from './plot-axis.ts'

const HEIGHT = 280

interface ReliabilityChartProps {
  readonly calibration: NonNullable<ClassificationDetail['calibration']>
  /** Expected calibration error. */
  readonly error: number | null
}

/** Accuracy of samples by the confidence of the answer. On the diagonal a model is as sure as it may be. */
export function ReliabilityChart({ calibration: { bins, scores }, error }: ReliabilityChartProps) {
  const filled = bins.filter(({ count }) => count > 0)
  const total = filled.reduce((sum, { count }) => sum + count, 0)
  const most = Math.max(...filled.map(({ count }) => count), 1)
  const percent = (value: number) => `${Math.round(value * 100)}%`
  return (
    <ChartFrame
      title="Reliability"
      aside={`calibration error ${formatPercent(error)}`}
      height={HEIGHT}
      testId="reliability"
      note={`Bars: how often answers of that confidence were right; the line is where they should end. Below: how many samples.${scores === 'logits' ? ' The outputs are no probabilities, so a softmax was taken.' : ''}`}
      table={{
        columns: ['from', 'to', 'samples', 'mean_confidence', 'accuracy'],
        rows: bins.map(({ from, to, count, confidence, accuracy }) => [
          from,
          to,
          count,
          count > 0 ? confidence : null,
          count > 0 ? accuracy : null,
        ]),
      }}
    >
      {(width) => (
        <Plot
          label="Reliability"
          width={width}
          height={HEIGHT}
          x={exactAxis(0, 1, { label: 'confidence', format: percent, count: 5 })}
          y={exactAxis(0, 1, { label: 'accuracy', format: percent, count: 5 })}
          points={filled.map(({ from, to, count, confidence, accuracy }) => ({
            x: (from + to) / 2,
            y: accuracy,
            lines: [
              `confidence ${percent(from)} to ${percent(to)}`,
              `${formatPercent(accuracy)} right at ${formatPercent(confidence)} confidence`,
              `${formatCounted(count, 'sample')}, ${formatRoughPercent(count / total)}`,
            ],
          }))}
        >
          {(area) => (
            <>
              {filled.map(({ from, to, count, confidence, accuracy }) => {
                const [left, right] = [area.x(from) + 1, area.x(to) - 1]
                return (
                  <g key={from}>
                    <rect
                      x={left}
                      width={Math.max(0, right - left)}
                      y={area.y(accuracy)}
                      height={area.height - area.y(accuracy)}
                      fill="var(--es-series-0)"
                      fillOpacity={0.3}
                    />
                    <line x1={left} x2={right} y1={area.y(accuracy)} y2={area.y(accuracy)} stroke="var(--es-series-0)" strokeWidth={2} />
                    <line
                      x1={left}
                      x2={right}
                      y1={area.y(confidence)}
                      y2={area.y(confidence)}
                      stroke="var(--es-ember)"
                      strokeWidth={1.4}
                      strokeDasharray="3 2"
                    />
                    <rect
                      x={left}
                      width={Math.max(0, right - left)}
                      y={area.height - (count / most) * 26}
                      height={(count / most) * 26}
                      fill="var(--es-dim)"
                      fillOpacity={0.55}
                    />
                  </g>
                )
              })}
              <line x1={area.x(0)} y1={area.y(0)} x2={area.x(1)} y2={area.y(1)} stroke="var(--es-faint)" strokeDasharray="5 4" />
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}
