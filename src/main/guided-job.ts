import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ErrorReport } from '../contract/errors.ts'
import { jobSchema } from '../contract/job.ts'
import { procedures } from '../contract/procedures.ts'
import type { BackendSupervisor } from './backend-supervisor.ts'

/** Progress is printed this often at most. */
const POLL_MS = 250

/**
 * Runs the guided tour and prints its progress and the report's path, for machines without a display (`npm start` under Xvfb).
 * Answers the exit code.
 */
export async function runGuidedJob(backend: BackendSupervisor): Promise<number> {
  const started = await backend.call('guided.start', {})
  if (!started.ok) return fail(started.error)
  const { jobId } = z.object({ jobId: z.string() }).parse(started.output)
  let phase: string | undefined
  for (;;) {
    const answer = await backend.call('jobs.get', { id: jobId })
    if (!answer.ok) return fail(answer.error)
    const job = jobSchema.parse(answer.output)
    if (job.progress && job.progress.phase !== phase) {
      phase = job.progress.phase
      console.log(`  ${job.progress.done}/${job.progress.total} ${phase}`)
    }
    if (job.state === 'succeeded') return succeed(procedures['guided.start'].job.parse(job.result))
    if (job.state === 'failed' || job.state === 'cancelled') return fail(job.error as ErrorReport)
    await sleep(POLL_MS)
  }
}

function succeed({ reportPath, comparison }: z.infer<(typeof procedures)['guided.start']['job']>): number {
  for (const row of comparison.rows) {
    const accuracy = row.metrics?.accuracy === undefined ? 'no accuracy' : `accuracy ${(row.metrics.accuracy * 100).toFixed(2)} %`
    const speed = row.speedup ? `${row.speedup.estimate.toFixed(2)}x, ${row.speedup.verdict}` : 'baseline'
    console.log(`  ${row.model}: ${(row.sizeBytes / 1e6).toFixed(2)} MB, ${accuracy}, p50 ${row.latencyMs.p50.toFixed(3)} ms (${speed})`)
  }
  console.log(`Report: ${reportPath}`)
  return 0
}

function fail(error: ErrorReport): number {
  console.error(`${error.code}: ${error.message}${error.hint ? `\n${error.hint}` : ''}`)
  return 1
}
