import type { ReactNode } from 'react'
import { ChartFrame } from '../../charts/chart-frame.tsx'
import { linePath } from '../../charts/paths.ts'
import { placeLabels } from '../../charts/place-labels.ts'
import { Plot, type PlotArea } from '../../charts/plot.tsx'
import { type PlotAxis, positionOn, valueAxis } from '../../charts/plot-axis.ts'
import { formatBytes } from '../../format/bytes.ts'
import { formatSignificant } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { BudgetLine } from './budget-line.tsx'
import { markerColor, type PlottedPoint } from './plotted-point.ts'
import type { CostMeasure, GainMeasure, SharedMetric, TradeOffPoint } from './trade-off.ts'
import { TradeOffMarker } from './trade-off-marker.tsx'
import { measureLabel, measureText } from './trade-off-text.ts'

const HEIGHT = 340
/** Average width of a character of the labels in pixels. */
const CHARACTER = 6.2
const SHARES: ReadonlySet<string> = new Set(['accuracy', 'agreement'])

interface TradeOffChartProps {
  readonly points: readonly TradeOffPoint[]
  readonly cost: CostMeasure
  readonly gain: GainMeasure
  readonly shared: SharedMetric | null
  readonly maxCost: number | null
  readonly onMaxCost: (value: number | null) => void
  /** Limit on the other axis, in the unit of its measure. */
  readonly limit: number | null
  readonly onLimit: (value: number | null) => void
  readonly chosenId: string | null
  readonly pointed: string | null
  readonly onPoint: (modelId: string | null) => void
  readonly controls: ReactNode
  readonly note: ReactNode
}

/** Builds by what they cost and what they give. Both axes run so that better is top right; the budgets are lines to be dragged. */
export function TradeOffChart(props: TradeOffChartProps) {
  const { points, cost, gain, shared, maxCost, onMaxCost, limit, onLimit, chosenId, pointed, onPoint } = props
  const x = measureAxis(
    cost,
    shared,
    points.flatMap(({ costInterval }) => [...costInterval]),
    true,
    'better →',
  )
  const lowerIsBetter = gain !== 'metric' || shared?.better === 'lower'
  const y = measureAxis(
    gain,
    shared,
    points.flatMap(({ valueInterval }) => [...valueInterval]),
    lowerIsBetter,
    'better →',
  )
  const title = `${measureLabel(gain, shared)} and ${measureLabel(cost, shared).toLowerCase()}`
  return (
    <ChartFrame
      title={title}
      aside={props.controls}
      height={HEIGHT}
      testId="trade-off-chart"
      note={props.note}
      table={{
        columns: ['model', cost, `${cost}_low`, `${cost}_high`, gain, `${gain}_low`, `${gain}_high`, 'dominated_by'],
        rows: points.map(({ row, cost: spent, costInterval, value, valueInterval, dominatedBy }) => [
          row.model,
          spent,
          ...costInterval,
          value,
          ...valueInterval,
          dominatedBy,
        ]),
      }}
    >
      {(width) => (
        <Plot
          label={title}
          width={width}
          height={HEIGHT}
          x={x}
          y={y}
          yWidth={72}
          nearest="both"
          points={points.map((point) => ({
            x: point.cost,
            y: point.value,
            lines: [
              `${point.index + 1} ${plainText(point.row.model, 80)}`,
              `${measureLabel(cost, shared)}: ${measureText(cost, shared, point.cost)}`,
              `${measureLabel(gain, shared)}: ${measureText(gain, shared, point.value)}`,
              ...(point.row.speedup ? [`Speed: ${formatRatio(point.row.speedup.estimate)}, ${point.row.speedup.verdict}`] : []),
              ...(point.dominatedBy ? [`${plainText(point.dominatedBy, 60)} is at least as good in both`] : []),
            ],
          }))}
          onPoint={(index) => onPoint(index === null ? null : (points[index]?.row.modelId ?? null))}
          over={(area) => (
            <>
              {[...plotted(points, x, y, area)]
                // The baseline lies over points it overlaps: it is what the eye looks for first.
                .sort((a, b) => b.index - a.index)
                .map((point) => (
                  <TradeOffMarker
                    key={point.row.modelId}
                    cx={area.x(point.cost)}
                    cy={area.y(point.value)}
                    point={point}
                    pointed={pointed === point.row.modelId || chosenId === point.row.modelId}
                  />
                ))}
              <BudgetLine
                axis={x}
                direction="x"
                area={area}
                value={maxCost}
                onChange={onMaxCost}
                label={`Budget: ${measureLabel(cost, shared)}`}
                text={(value) => measureText(cost, shared, value)}
                testId="budget-cost"
              />
              <BudgetLine
                axis={y}
                direction="y"
                area={area}
                value={limit}
                onChange={onLimit}
                label={`Budget: ${measureLabel(gain, shared)}`}
                text={(value) => measureText(gain, shared, value)}
                testId="budget-gain"
              />
            </>
          )}
        >
          {(area) => <Whiskers points={points} area={area} />}
        </Plot>
      )}
    </ChartFrame>
  )
}

/** The front as a dashed line, and the 95 % intervals of every point. */
function Whiskers({ points, area }: { points: readonly TradeOffPoint[]; area: PlotArea }) {
  const front = points.filter(({ dominatedBy }) => dominatedBy === null).sort((a, b) => a.cost - b.cost)
  return (
    <>
      <path
        d={linePath(front.map(({ cost, value }) => [area.x(cost), area.y(value)]))}
        fill="none"
        stroke="var(--es-faint)"
        strokeDasharray="5 4"
        strokeWidth={1.2}
      />
      {points.map((point) => (
        <g key={point.row.modelId} stroke={markerColor(point)} strokeWidth={1.4}>
          <line x1={area.x(point.costInterval[0])} x2={area.x(point.costInterval[1])} y1={area.y(point.value)} y2={area.y(point.value)} />
          <line x1={area.x(point.cost)} x2={area.x(point.cost)} y1={area.y(point.valueInterval[0])} y2={area.y(point.valueInterval[1])} />
        </g>
      ))}
    </>
  )
}

function measureAxis(
  measure: CostMeasure | GainMeasure,
  shared: SharedMetric | null,
  values: readonly number[],
  reversed: boolean,
  direction: string,
): PlotAxis {
  const bytes = measure === 'size' || measure === 'memory'
  const share = measure === 'metric' && SHARES.has(shared?.metric ?? '')
  const axis = valueAxis(values, { label: '', count: 6, logarithmic: measure !== 'metric', reversed })
  const unit = bytes || share ? '' : measure === 'metric' ? (shared?.metric === 'sqnrDb' ? ', dB' : '') : ', ms'
  const format = bytes
    ? formatBytes
    : share
      ? (value: number) => `${Number((value * 100).toFixed(2))}%`
      : axis.scale === 'log'
        ? formatSignificant
        : axis.format
  return { ...axis, format, label: `${measureLabel(measure, shared)}${unit}   (${direction})` }
}

/** Adds the places of the names. */
function plotted(points: readonly TradeOffPoint[], x: PlotAxis, y: PlotAxis, area: PlotArea): PlottedPoint[] {
  const places = placeLabels(
    points.map(({ cost, value, row }) => ({
      x: positionOn(x, cost) * area.width,
      y: (1 - positionOn(y, value)) * area.height,
      width: plainText(row.model, 32).length * CHARACTER + 8,
    })),
    area.width,
    area.height,
  )
  return points.map((point, index) => ({
    ...point,
    label: places[index] ?? null,
    pointedLabel: positionOn(x, point.cost) > 0.5 ? { dx: -9, dy: -9, anchor: 'end' } : { dx: 9, dy: -9, anchor: 'start' },
  }))
}
