import { useElementSize } from '@mantine/hooks'
import { CartesianGrid, ErrorBar, Label, ReferenceLine, Scatter, ScatterChart, Tooltip, XAxis, YAxis } from 'recharts'
import { axisRange, tickLabel } from '../../charts/axis-ticks.ts'
import { placeLabels } from '../../charts/place-labels.ts'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatSignificant } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { markerColor, type PlottedPoint } from './plotted-point.ts'
import type { TradeOffMeasure, TradeOffPoint } from './trade-off.ts'
import classes from './trade-off-chart.module.css'
import { TradeOffMarker } from './trade-off-marker.tsx'
import { TradeOffTooltip } from './trade-off-tooltip.tsx'

const HEIGHT = 330
const MARGIN = { top: 14, right: 22, bottom: 24, left: 6 }
const Y_WIDTH = 66
const X_HEIGHT = 26
/** Average width of a character of the labels in pixels. */
const CHARACTER = 6.2

interface TradeOffChartProps {
  readonly points: readonly TradeOffPoint[]
  readonly measure: TradeOffMeasure
  readonly budgetMs: number | null
  readonly pointed: string | null
  readonly onPoint: (modelId: string | null) => void
}

/** Scatter of latency (running backwards: right is faster) and accuracy or size (up is better). */
export function TradeOffChart({ points, measure, budgetMs, pointed, onPoint }: TradeOffChartProps) {
  const { ref, width } = useElementSize()
  const x = axisRange(
    points.flatMap((point) => [...point.latencyInterval]),
    7,
    true,
  )
  const y = axisRange(
    points.flatMap((point) => [...point.valueInterval]),
    5,
  )
  const plotted = plot(points, x, y, measure, width)
  const front = plotted.filter(({ dominatedBy }) => dominatedBy === null).sort((a, b) => a.latencyMs - b.latencyMs)
  const measureName = measure === 'accuracy' ? 'Accuracy' : 'File size'
  return (
    <div
      ref={ref}
      className={classes.chart}
      data-testid="trade-off-chart"
      role="img"
      aria-label={`${measureName} over median latency; the table has the numbers`}
    >
      {width > 0 ? (
        <ScatterChart width={width} height={HEIGHT} margin={MARGIN} accessibilityLayer={false}>
          <CartesianGrid stroke="var(--es-border)" strokeDasharray="2 4" />
          <XAxis
            type="number"
            dataKey="latencyMs"
            reversed
            scale={x.scale}
            domain={[...x.domain]}
            ticks={[...x.ticks]}
            tickFormatter={(value: number) => (x.scale === 'log' ? formatSignificant(value) : tickLabel(value, x.ticks))}
            height={X_HEIGHT}
            stroke="var(--es-faint)"
            tick={{ fill: 'var(--es-dim)', fontSize: 11 }}
            allowDataOverflow
          >
            <Label value="median latency, ms   (faster →)" position="bottom" offset={4} fill="var(--es-dim)" fontSize={11} />
          </XAxis>
          <YAxis
            type="number"
            dataKey="value"
            reversed={measure === 'size'}
            domain={[...y.domain]}
            ticks={[...y.ticks]}
            tickFormatter={measure === 'accuracy' ? (value: number) => `${Number((value * 100).toFixed(2))}%` : formatBytes}
            width={Y_WIDTH}
            stroke="var(--es-faint)"
            tick={{ fill: 'var(--es-dim)', fontSize: 11 }}
            allowDataOverflow
          >
            <Label
              value={measure === 'accuracy' ? 'accuracy' : 'size (smaller ↑)'}
              angle={-90}
              position="insideLeft"
              offset={6}
              fill="var(--es-dim)"
              fontSize={11}
            />
          </YAxis>
          <Tooltip cursor={false} content={TradeOffTooltip} isAnimationActive={false} />
          {budgetMs !== null && budgetMs > x.domain[0] && budgetMs < x.domain[1] ? (
            <ReferenceLine x={budgetMs} stroke="var(--es-ember)" strokeWidth={1.5}>
              <Label value={`budget ${formatMs(budgetMs)}`} position="insideTopLeft" fill="var(--es-ember)" fontSize={11} />
            </ReferenceLine>
          ) : null}
          <Scatter
            data={front}
            line={{ stroke: 'var(--es-faint)', strokeDasharray: '5 4', strokeWidth: 1.2 }}
            shape={() => null}
            legendType="none"
            tooltipType="none"
            isAnimationActive={false}
          />
          {drawnLast(plotted).map((point) => (
            <Scatter
              key={point.row.modelId}
              data={[point]}
              name={point.row.model}
              isAnimationActive={false}
              shape={(shape: { cx?: number; cy?: number }) => (
                <TradeOffMarker cx={shape.cx} cy={shape.cy} point={point} pointed={pointed === point.row.modelId} />
              )}
              onMouseEnter={() => onPoint(point.row.modelId)}
              onMouseLeave={() => onPoint(null)}
            >
              <ErrorBar
                dataKey="latencyError"
                direction="x"
                width={5}
                strokeWidth={1.4}
                stroke={markerColor(point)}
                isAnimationActive={false}
              />
              {measure === 'accuracy' ? (
                <ErrorBar
                  dataKey="valueError"
                  direction="y"
                  width={5}
                  strokeWidth={1.4}
                  stroke={markerColor(point)}
                  isAnimationActive={false}
                />
              ) : null}
            </Scatter>
          ))}
        </ScatterChart>
      ) : null}
    </div>
  )
}

/** The baseline lies over points it overlaps: it is what the eye looks for first. */
function drawnLast(points: readonly PlottedPoint[]): PlottedPoint[] {
  return [...points].sort((a, b) => b.index - a.index)
}

type Axis = ReturnType<typeof axisRange>

/** Adds label places and error bars; positions are computed the way the chart lays them out. */
function plot(points: readonly TradeOffPoint[], x: Axis, y: Axis, measure: TradeOffMeasure, width: number): PlottedPoint[] {
  const plotWidth = Math.max(1, width - MARGIN.left - MARGIN.right - Y_WIDTH)
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom - X_HEIGHT
  const places = placeLabels(
    points.map(({ latencyMs, value, row }) => ({
      x: plotWidth * (1 - positionOn(x, latencyMs)),
      y: plotHeight * (measure === 'size' ? positionOn(y, value) : 1 - positionOn(y, value)),
      width: plainText(row.model, 32).length * CHARACTER + 8,
    })),
    plotWidth,
    plotHeight,
  )
  return points.map((point, index) => ({
    ...point,
    label: places[index] ?? null,
    pointedLabel: positionOn(x, point.latencyMs) < 0.5 ? { dx: -9, dy: -9, anchor: 'end' } : { dx: 9, dy: -9, anchor: 'start' },
    latencyError: [point.latencyMs - point.latencyInterval[0], point.latencyInterval[1] - point.latencyMs],
    valueError: [point.value - point.valueInterval[0], point.valueInterval[1] - point.value],
  }))
}

/** Where a value lies on an axis, from 0 to 1. */
function positionOn({ domain: [low, high], scale }: Axis, value: number): number {
  return scale === 'log' ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low)
}
