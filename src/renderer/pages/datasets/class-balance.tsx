import { ChartFrame } from '../../charts/chart-frame.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import { balanceOf } from './balance.ts'
import classes from './class-balance.module.css'

interface ClassBalanceProps {
  readonly counts: Readonly<Record<string, number>>
  readonly names: readonly string[] | null
}

const ROW = 20
const NAME_WIDTH = 150
const COUNT_WIDTH = 120
/** More bars than this are no picture any more; the table has them all. */
const MAX_BARS = 100

/** How many samples each class has, as bars. */
export function ClassBalance({ counts, names }: ClassBalanceProps) {
  const { rows, samples, imbalance } = balanceOf(counts, names)
  const shown = rows.slice(0, MAX_BARS)
  const longest = Math.max(...shown.map(({ count }) => count), 1)
  const height = Math.max(1, shown.length) * ROW
  const rest = rows.length - shown.length
  return (
    <ChartFrame
      title="Class balance"
      aside={`${formatCount(rows.length)} ${rows.length === 1 ? 'class' : 'classes'}`}
      height={height}
      table={{
        columns: ['class', 'name', 'samples', 'share'],
        rows: rows.map(({ index, name, count, share }) => [index, name, count, share]),
      }}
      note={
        imbalance === null
          ? 'Some classes have no sample: accuracy says nothing about them.'
          : `${imbalance < 1.05 ? 'Balanced' : `The largest class has ${formatRatioOf(imbalance)} times the samples of the smallest`}.${rest > 0 ? ` The first ${MAX_BARS} of ${formatCount(rows.length)} classes are drawn; the table has all.` : ''}`
      }
      testId="class-balance"
    >
      {(width) => {
        const track = Math.max(20, width - NAME_WIDTH - COUNT_WIDTH)
        return (
          <svg width={width} height={height} data-chart role="img" aria-label={`Samples of ${rows.length} classes`}>
            {shown.map(({ index, name, count, share }, row) => (
              <g key={index} transform={`translate(0 ${row * ROW})`} className={classes.row}>
                <title>{`${name ?? `class ${index}`}: ${formatCount(count)} of ${formatCount(samples)} samples`}</title>
                <text x={NAME_WIDTH - 10} y={ROW / 2} dy="0.35em" className={classes.name}>
                  {plainText(name === null ? `class ${index}` : name, 22)}
                </text>
                <rect x={NAME_WIDTH} y={4} width={track} height={ROW - 8} rx={2} className={classes.track} />
                <rect x={NAME_WIDTH} y={4} width={(count / longest) * track} height={ROW - 8} rx={2} className={classes.bar} />
                <text x={width} y={ROW / 2} dy="0.35em" className={classes.count}>
                  {formatCount(count)} · {formatRoughPercent(share)}
                </text>
              </g>
            ))}
          </svg>
        )
      }}
    </ChartFrame>
  )
}

function formatRatioOf(ratio: number): string {
  return ratio < 9.95 ? ratio.toFixed(1) : formatCount(ratio)
}
