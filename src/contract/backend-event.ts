import { z } from 'zod'
import { deviceLinkSchema } from './device-link.ts'
import { jobSchema } from './job.ts'
import { momentSchema } from './names.ts'

/** Something changed that the window may be showing. */
export const backendEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), job: jobSchema }),
  /** Rows of that kind were added, changed or removed: fetch again. */
  z.object({
    type: z.literal('changed'),
    what: z.enum([
      'models',
      'datasets',
      'benchmarks',
      'evaluations',
      'comparisons',
      'analyses',
      'matrices',
      'reports',
      'devices',
      'deployments',
      'validations',
      'questions',
    ]),
  }),
  z.object({ type: z.literal('device-link'), link: deviceLinkSchema }),
  /** From Electron main: the backend started, or died and is being started again. */
  z.object({
    type: z.literal('backend'),
    state: z.enum(['starting', 'ready', 'restarting', 'failed']),
    at: momentSchema,
    reason: z.string().nullable(),
  }),
])
export type BackendEvent = z.infer<typeof backendEventSchema>
