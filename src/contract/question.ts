import { z } from 'zod'
import { idSchema } from './names.ts'

/**
 * Something only a person can answer while a connection is being made: a one-time code, the passphrase of a key, a password that is not
 * stored. Shown by the window, asked by the command line on a terminal; where nobody is, the connection fails.
 */
export const questionSchema = z.object({
  id: idSchema,
  /** Who asks: a device or jump host (`user@host:port`), or the path of a key. Text from strangers. */
  asker: z.string().max(300),
  title: z.string().max(300),
  instructions: z.string().max(2000),
  prompts: z
    .array(z.object({ text: z.string().max(500), hidden: z.boolean() }))
    .min(1)
    .max(10),
  /** The answer may be kept in the OS key store. */
  canRemember: z.boolean(),
})
export type Question = z.infer<typeof questionSchema>
