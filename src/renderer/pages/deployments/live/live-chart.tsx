import { ChartFrame } from '../../../charts/chart-frame.tsx'
import { linePath } from '../../../charts/paths.ts'
import { Plot } from '../../../charts/plot.tsx'
import { exactAxis, zeroAxis } from '../../../charts/plot-axis.ts'
import { formatSpan } from '../../../format/durations.ts'
import { NOTHING } from '../../../format/numbers.ts'
import classes from './live.module.css'
import { type LiveLines, newest } from './live-lines.ts'

interface LiveChartProps {
  readonly title: string
  /** Of the axis. */
  readonly unit: string
  /** Value in the axis' unit times this is what `format` takes. */
  readonly perUnit?: number
  readonly format: (value: number) => string
  readonly chart: LiveLines
  /** Drawn while there is no value yet. */
  readonly nothing?: string
  readonly testId: string
}

const HEIGHT = 138
/** A chart shows at least this much time, so that its first seconds do not stretch over all of it. */
const LEAST_SECONDS = 60

/** Something a service measures, over the last minutes. */
export function LiveChart({ title, unit, perUnit = 1, format, chart: { atMs, lines }, nothing = 'Reading…', testId }: LiveChartProps) {
  const end = atMs.at(-1) ?? 0
  const seconds = atMs.map((at) => (at - end) / 1000)
  const x = exactAxis(Math.min(seconds[0] ?? 0, -LEAST_SECONDS), 0, {
    label: 'seconds before now',
    format: (value) => String(Math.abs(value)),
  })
  const scaled = lines.map(({ values }) => values.map((value) => value / perUnit))
  const read = seconds.map((_, index) => index).filter((index) => lines.some(({ values }) => Number.isFinite(values[index])))
  const text = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? format(value) : NOTHING)
  return (
    <ChartFrame
      title={title}
      {...(lines.length > 1 ? { note: <Legend lines={lines} format={format} /> } : { aside: <Legend lines={lines} format={format} /> })}
      height={HEIGHT}
      testId={testId}
      table={{
        columns: ['seconds', ...lines.map(({ label }) => (lines.length > 1 ? `${label}, ${unit}` : unit))],
        rows: read.map((index) => [seconds[index] ?? 0, ...scaled.map((values) => values[index] ?? null)]),
      }}
    >
      {(width) => (
        <Plot
          label={`${title} over time`}
          width={width}
          height={HEIGHT}
          x={x}
          y={zeroAxis(scaled.flat(), { label: unit, count: 3 })}
          points={read.map((index) => ({
            x: seconds[index] ?? 0,
            y: scaled.map((values) => values[index] ?? Number.NaN).find(Number.isFinite) ?? 0,
            lines: [
              ...lines.map(({ label, values }) => (lines.length > 1 ? `${label} ${text(values[index])}` : text(values[index]))),
              `${formatSpan(end - (atMs[index] ?? end))} ago`,
            ],
          }))}
        >
          {(area) => (
            <>
              {read.length === 0 ? (
                <text x={area.width / 2} y={area.height / 2} className={classes.none} textAnchor="middle" dominantBaseline="central">
                  {nothing}
                </text>
              ) : null}
              {scaled.map((values, line) => (
                <path
                  key={lines[line]?.label}
                  d={linePath(values.map((value, index) => [area.x(seconds[index] ?? 0), area.y(value)]))}
                  fill="none"
                  stroke={`var(--es-series-${line})`}
                  strokeWidth={1.4}
                  strokeLinejoin="round"
                />
              ))}
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}

/** Names of the lines with their newest values; only the value where there is one line. */
function Legend({ lines, format }: Pick<LiveChartProps, 'format'> & { lines: LiveLines['lines'] }) {
  return (
    <span className={classes.legend}>
      {lines.map((line, index) => {
        const value = newest(line)
        return (
          <span key={line.label} className={classes.entry}>
            {lines.length > 1 ? (
              <>
                <span className={classes.swatch} style={{ background: `var(--es-series-${index})` }} aria-hidden />
                {line.label}
              </>
            ) : null}
            <span className="es-num">{value === null ? NOTHING : format(value)}</span>
          </span>
        )
      })}
    </span>
  )
}
