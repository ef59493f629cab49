import { z } from 'zod'
import { parseJson } from '../../core/parse-json.ts'

const reasonSchema = z.object({
  event: z.literal('failed'),
  code: z.string().max(60),
  message: z.string().transform((text) => text.slice(0, 600)),
  hint: z
    .string()
    .transform((text) => text.slice(0, 600))
    .optional(),
})

/** Why a serving process could not start, in its own words. */
export type LogReason = z.infer<typeof reasonSchema>

/** The last line of a log that is a failure as `agent serve` writes it; null where there is none. */
export function reasonIn(log: string): LogReason | null {
  for (const line of log.split('\n').reverse()) {
    if (!line.includes('"failed"')) continue
    // None where it is cut off, or not ours.
    const found = reasonSchema.safeParse(parseJson(line))
    if (found.success) return found.data
  }
  return null
}
