import { z } from 'zod'

/** One check of `doctor`. */
export const doctorCheckSchema = z.object({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'missing']),
  found: z.string(),
  needed: z.string(),
  fix: z.string().nullable(),
})
