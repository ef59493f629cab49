import { EdgesmithError, fromErrorReport } from '../contract/errors.ts'
import { type JobProcedureName, type JobResult, type ProcedureInput, procedures } from '../contract/procedures.ts'
import type { CommandContext } from './command.ts'
import { ProgressDisplay } from './progress-display.ts'

/**
 * Starts a job, shows its progress, and answers with its result. Ctrl+C cancels the job.
 *
 * @throws EdgesmithError with the job's own code; `JOB_CANCELLED` when it was cancelled
 */
export async function runJob<N extends JobProcedureName>(
  context: CommandContext,
  name: N,
  input: ProcedureInput<N>,
): Promise<JobResult<N>> {
  return runStartedJob(context, name, await startJob(context, name, input))
}

/** Starts a job and answers its id; {@link runStartedJob} takes it from there. */
export async function startJob<N extends JobProcedureName>(context: CommandContext, name: N, input: ProcedureInput<N>): Promise<string> {
  const { jobId } = (await (await context.backend()).call(name, input)) as { jobId: string }
  return jobId
}

/** See {@link runJob}. */
export async function runStartedJob<N extends JobProcedureName>(context: CommandContext, name: N, jobId: string): Promise<JobResult<N>> {
  const { terminal, interruption } = context
  const backend = await context.backend()
  let cancelling: Promise<unknown> | undefined
  const release = interruption.handle(() => {
    terminal.note('Cancelling (press Ctrl+C again to quit at once) …')
    cancelling = backend.call('jobs.cancel', { id: jobId })
  })
  const first = await backend.call('jobs.get', { id: jobId })
  const display = new ProgressDisplay(terminal, first.title, Date.now())
  display.show(first, Date.now())
  const unsubscribe = backend.onEvent((event) => {
    if (event.type === 'job' && event.job.id === jobId) display.show(event.job, Date.now())
  })
  try {
    const job = await backend.call('jobs.wait', { id: jobId })
    await cancelling
    if (job.state === 'succeeded') return procedures[name].job.parse(job.result) as JobResult<N>
    if (job.error) throw fromErrorReport(job.error as Parameters<typeof fromErrorReport>[0])
    throw new EdgesmithError('JOB_CANCELLED', `${job.title}: cancelled`)
  } finally {
    release()
    unsubscribe()
    display.end()
  }
}
