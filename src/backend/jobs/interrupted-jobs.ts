import { readFileSync } from 'node:fs'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { JobRepository } from '../../storage/job-repository.ts'
import { isProcessAlive } from '../process-identity.ts'

/**
 * Marks jobs as interrupted whose process is gone, and ends the engines those left behind. Answers their ids.
 * Jobs of a living process (another window or command line) are left alone.
 */
export function markInterruptedJobs(jobs: JobRepository, engineEntry: string): string[] {
  const interrupted: string[] = []
  for (const job of jobs.unfinished()) {
    if (isProcessAlive(job.owner)) continue
    if (job.enginePid !== null && isEngine(job.enginePid, engineEntry)) process.kill(job.enginePid, 'SIGKILL')
    const error = new EdgesmithError('JOB_INTERRUPTED', 'The program that ran this job ended before the job did.', {
      hint: 'Start it again. Nothing half-made was kept.',
    })
    jobs.finish(job.id, 'failed', new Date().toISOString(), { error: toErrorReport(error) })
    interrupted.push(job.id)
  }
  return interrupted
}

/** A pid is used again by others: only a process that runs our engine program is ours. */
function isEngine(pid: number, engineEntry: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(engineEntry)
  } catch {
    return false
  }
}
