import type { z } from 'zod'
import { EdgesmithError } from '../contract/errors.ts'

/**
 * A JSON column read back through its schema, so that rows written by an older version are completed by the schema's defaults
 * and a damaged one is named instead of failing far away.
 */
export function readJson<S extends z.ZodType>(schema: S, text: string, where: string): z.output<S> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new EdgesmithError('WORKSPACE_INVALID', `The workspace database is damaged: ${where} is not JSON`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new EdgesmithError('WORKSPACE_INVALID', `The workspace database is damaged: ${where}: ${parsed.error.issues[0]?.message}`)
  return parsed.data
}

/** The same for a column that may be NULL. */
export function readOptionalJson<S extends z.ZodType>(schema: S, text: string | null, where: string): z.output<S> | null {
  return text === null ? null : readJson(schema, text, where)
}
