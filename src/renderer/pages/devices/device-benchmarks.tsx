import { Link } from 'wouter'
import type { Device } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatMs } from '../../format/durations.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { formatLargeCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import classes from './device-benchmarks.module.css'

/** Shown at most; comparisons have pages of their own. */
const SHOWN = 12

/** Benchmarks measured on a device on their own, newest first. */
export function DeviceBenchmarks({ device }: { device: Device }) {
  const now = useNow(60_000)
  const { data: benchmarks } = useCall('benchmarks.list', {})
  const { data: models } = useCall('models.list', {})
  const names = new Map((models ?? []).map(({ id, name }) => [id, name]))
  const shown = (benchmarks ?? []).filter(({ deviceId, comparisonId }) => deviceId === device.id && comparisonId === null).slice(0, SHOWN)
  if (shown.length === 0) return null
  return (
    <Section
      title="Benchmarks measured here"
      aside={
        <Link href="/benchmarks" className={classes.link}>
          All runs
        </Link>
      }
      flush
    >
      <table className={tableClasses.table}>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
            <th scope="col" className={classes.roomy}>
              Throughput
            </th>
            <th scope="col" className={classes.roomy}>
              Peak memory
            </th>
            <th scope="col">Measured</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ id, modelId, latencyMs, throughputPerSecond, peakRssBytes, createdAt, warnings }) => (
            <tr key={id} data-testid={`benchmark-${id}`} data-p50={latencyMs.p50}>
              <td className={classes.model}>
                <Link href={`/models/${modelId}`} className={classes.link}>
                  {plainText(names.get(modelId) ?? 'removed model', 80)}
                </Link>
                {warnings.length > 0 ? (
                  <span className={classes.noisy} title={warnings.map((warning) => plainText(warning)).join('\n')}>
                    with warnings
                  </span>
                ) : null}
              </td>
              <td className="es-num">{formatMs(latencyMs.p50)}</td>
              <td className="es-num">{formatMs(latencyMs.p95)}</td>
              <td className="es-num">{formatMs(latencyMs.p99)}</td>
              <td className={`${classes.roomy} es-num`}>{formatLargeCount(throughputPerSecond)}/s</td>
              <td className={`${classes.roomy} es-num`}>{formatBytes(peakRssBytes)}</td>
              <td className="es-num es-dim" title={formatExactMoment(createdAt)}>
                <Link href={`/benchmarks/runs/${id}`} className={classes.link}>
                  {formatMoment(createdAt, now)}
                </Link>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}
