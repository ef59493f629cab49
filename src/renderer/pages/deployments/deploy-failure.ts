import { z } from 'zod'
import { type GateCheck, gateCheckSchema } from '../../../contract/routing.ts'

const detailsSchema = z.object({ checks: z.array(gateCheckSchema).catch([]), log: z.string().catch('') })

/** What a failed deployment says beside its message: what was checked, and the end of the service's log. */
export function deployFailure(details: unknown): { readonly checks: readonly GateCheck[]; readonly log: string } {
  const parsed = detailsSchema.safeParse(details)
  return parsed.success ? parsed.data : { checks: [], log: '' }
}
