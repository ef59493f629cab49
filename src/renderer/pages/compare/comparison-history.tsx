import { Loader } from '@mantine/core'
import { Link } from 'wouter'
import type { Job } from '../../../contract/job.ts'
import type { Comparison } from '../../../contract/measurement.ts'
import { formatExactMoment, formatMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { useNow } from '../../hooks/use-now.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import classes from './comparison-history.module.css'
import { outcomeText } from './comparison-outcome.ts'

interface ComparisonHistoryProps {
  readonly comparisons: readonly Comparison[]
  readonly running: readonly Job[]
  readonly selectedId: string | null
}

/** All comparisons, newest first. A new one never replaces an old one. */
export function ComparisonHistory({ comparisons, running, selectedId }: ComparisonHistoryProps) {
  const now = useNow(60_000)
  if (comparisons.length === 0 && running.length === 0)
    return <p className={classes.none}>Comparisons you make are listed here and kept.</p>
  return (
    <nav aria-label="Comparisons">
      <ul className={classes.list}>
        {running.map((job) => (
          <li key={job.id}>
            <Link href={`/compare/${job.id}`} className={classes.entry} aria-current={job.id === selectedId ? 'true' : undefined}>
              <span className={classes.running}>
                <Loader size={12} aria-label="Running" />
                <span className="es-ellipsis">{plainText(job.title)}</span>
              </span>
              <span className={classes.note}>{job.state === 'queued' ? 'waiting' : 'being measured'}</span>
            </Link>
          </li>
        ))}
        {comparisons.map((comparison) => (
          <li key={comparison.id}>
            <Link
              href={`/compare/${comparison.id}`}
              className={classes.entry}
              aria-current={comparison.id === selectedId ? 'true' : undefined}
              data-testid={`comparison-${comparison.id}`}
            >
              <span className={`${classes.title} es-ellipsis`}>
                {plainText(comparison.baseline, 60)} <span className="es-dim">and {comparison.rows.length - 1}</span>
              </span>
              <span className={`${classes.note} es-ellipsis`}>{outcomeText(comparison)}</span>
              <span className={classes.note} title={formatExactMoment(comparison.createdAt)}>
                {deviceNameLabel(comparison.deviceId, comparison.device)} · {formatMoment(comparison.createdAt, now)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
