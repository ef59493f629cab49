import { linePath } from './paths.ts'

interface SparklineProps {
  /** Oldest first; NaN leaves a gap. */
  readonly values: readonly number[]
  /** Smallest difference between bottom and top. */
  readonly calmSpan: number
  readonly width?: number
  readonly height?: number
}

/** How a value went lately, the size of a word. The value itself stands beside it in words, so screen readers pass over this. */
export function Sparkline({ values, calmSpan, width = 34, height = 14 }: SparklineProps) {
  const finite = values.filter(Number.isFinite)
  if (finite.length < 2) return <svg width={width} height={height} aria-hidden="true" />
  const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  const high = finite.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const span = Math.max(high - low, calmSpan)
  const bottom = (low + high - span) / 2
  const step = (width - 2) / (values.length - 1)
  const points = values.map((value, index) => [1 + index * step, height - 2 - ((value - bottom) / span) * (height - 4)] as const)
  return (
    <svg width={width} height={height} aria-hidden="true">
      <path d={linePath(points)} fill="none" stroke="var(--es-series-0)" strokeWidth={1.3} strokeLinejoin="round" />
    </svg>
  )
}
