import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import { replaceFileSync } from '../../platform/durable-files.ts'

/** A request that was not answered with success yet. */
const pendingSchema = z.strictObject({
  /** Sent as `Idempotency-Key`: the same at every try. */
  key: z.string().min(1).max(100),
  /** The request's body, the same at every try. */
  body: z.string().max(200_000),
  createdAtMs: z.number(),
  attempts: z.int().min(0),
  /** When it is tried next. */
  nextAtMs: z.number(),
})
export type PendingRequest = z.infer<typeof pendingSchema>

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** When the last request was made, whether or not it was delivered; the cool-down counts from here. */
  firedAtMs: z.number().nullable(),
  pending: pendingSchema.nullable(),
})
export type WebhookState = z.infer<typeof stateSchema>

const LONGEST_FILE = 2_000_000

/** The state as it was left; null where there is none. @throws for a file that cannot be read or holds something else */
export function readWebhookState(path: string): WebhookState | null {
  try {
    if (statSync(path).size > LONGEST_FILE) throw new Error(`it has more than ${LONGEST_FILE} bytes`)
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Writes the state so that a reader, after a power cut too, sees the old or the new one. */
export function writeWebhookState(path: string, state: WebhookState): void {
  replaceFileSync(path, `${JSON.stringify(state)}\n`)
}
