import { z } from 'zod'
import { idSchema } from '../names.ts'

/** A procedure that answers at once. */
export interface Call<I extends z.ZodType, O extends z.ZodType> {
  readonly description: string
  readonly input: I
  readonly output: O
  readonly job?: undefined
}

/** A procedure that starts a job: it answers with the job's id, the job's `result` is described by `job`. */
export interface Start<I extends z.ZodType, R extends z.ZodType> {
  readonly description: string
  readonly input: I
  readonly output: typeof startedSchema
  readonly job: R
}

const startedSchema = z.object({ jobId: idSchema })
/** No input, or nothing to answer. */
export const nothing = z.object({})

/** Declares a procedure that answers at once. */
export function call<I extends z.ZodType, O extends z.ZodType>(description: string, input: I, output: O): Call<I, O> {
  return { description, input, output }
}

/** Declares a procedure that starts a job. @param result of the job */
export function start<I extends z.ZodType, R extends z.ZodType>(description: string, input: I, result: R): Start<I, R> {
  return { description, input, output: startedSchema, job: result }
}

/** Input of what concerns one thing. */
export const byId = z.object({ id: idSchema })
