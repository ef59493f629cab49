import { z } from 'zod'
import { idSchema, momentSchema } from './names.ts'

export const jobStateSchema = z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled'])
export type JobState = z.infer<typeof jobStateSchema>

/** How far a job is; `total` is null while it is not known. */
export const progressSchema = z.object({ phase: z.string(), done: z.number(), total: z.number().nullable(), unit: z.string() })
export type Progress = z.infer<typeof progressSchema>

export const errorReportSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

export const jobSchema = z.object({
  id: idSchema,
  /** The procedure that started it. */
  kind: z.string(),
  /** One line for people: what is done to what. */
  title: z.string(),
  state: jobStateSchema,
  progress: progressSchema.nullable(),
  error: errorReportSchema.nullable(),
  /** What the procedure's result schema says; null until it succeeded. */
  result: z.unknown().nullable(),
  /** Why a queued job waits, for example for a machine being measured. */
  waitingFor: z.string().nullable(),
  createdAt: momentSchema,
  startedAt: momentSchema.nullable(),
  finishedAt: momentSchema.nullable(),
  /** Owned by another process (window or command line) of the same workspace. */
  foreign: z.boolean(),
})
export type Job = z.infer<typeof jobSchema>

export const jobLogLineSchema = z.object({ at: momentSchema, text: z.string() })
export type JobLogLine = z.infer<typeof jobLogLineSchema>

/** What long-running code gets to report with. Calls are cheap; the receiver limits them to 10 a second. */
export interface JobReporter {
  progress(progress: Progress): void
  log(text: string): void
}
