import type { Job } from '../../contract/job.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatCount } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'

/** Where a job stands, in words: "Waiting for raspberry-pi-5", "Calibrating · 120 of 256 samples". */
export function progressText(job: Pick<Job, 'state' | 'waitingFor' | 'progress'>): string {
  // A running job waits too, when it needs a machine for its next part.
  if (job.waitingFor) return `Waiting for ${plainText(job.waitingFor, 120)}`
  if (job.state === 'queued') return 'Waiting for its turn'
  if (!job.progress) return 'Starting'
  const { phase, done, total, unit } = job.progress
  const isBytes = unit === 'bytes' || unit === 'B'
  const amount = isBytes ? formatBytes : formatCount
  const suffix = isBytes || unit === '' ? '' : ` ${plainText(unit, 30)}`
  const name = plainText(phase, 80)
  if (total === null) return done > 0 ? `${name} · ${amount(done)}${suffix}` : name
  return `${name} · ${amount(done)} of ${amount(total)}${suffix}`
}

/** Progress from 0 to 1; null while the total is not known. */
export function progressShare(job: Pick<Job, 'progress'>): number | null {
  if (!job.progress || job.progress.total === null || job.progress.total <= 0) return null
  return Math.min(1, Math.max(0, job.progress.done / job.progress.total))
}
