import { z } from 'zod'
import { jobLogLineSchema, jobSchema } from '../job.ts'
import { byId, call } from './procedure.ts'

/** Jobs. */
export const jobProcedures = {
  'jobs.list': call('Jobs, newest first', z.object({ limit: z.int().min(1).max(1000).default(100) }), z.array(jobSchema)),
  'jobs.get': call('One job', byId, jobSchema),
  'jobs.log': call('What a job wrote', byId, z.array(jobLogLineSchema)),
  'jobs.cancel': call('Ask a job to stop; it is killed after a grace time', byId, jobSchema),
  'jobs.wait': call('Answers when the job has ended', byId, jobSchema),
} as const
