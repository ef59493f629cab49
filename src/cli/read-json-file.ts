import { resolve } from 'node:path'
import type { z } from 'zod'
import { EdgesmithError, type ErrorCode } from '../contract/errors.ts'
import { readWholeFile } from '../platform/read-file.ts'

/** Recipes and preprocessing are a few hundred bytes; a node list for `exclude` may take some hundred thousand. */
const MAX_JSON_BYTES = 4_000_000

/**
 * Reads a JSON file and checks it.
 *
 * @param code the error code when the content does not fit
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `TOO_LARGE`, or `code`
 */
export async function readJsonFile<T>(folder: string, path: string, schema: z.ZodType<T>, code: ErrorCode): Promise<T> {
  const file = resolve(folder, path)
  const text = new TextDecoder().decode(await readWholeFile(file, file, MAX_JSON_BYTES))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new EdgesmithError(code, `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      hint: 'Correct the file; JSON has double quotes and no comma before a closing bracket.',
    })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new EdgesmithError(code, `${file}: ${describeIssue(parsed.error)}`, { hint: 'Correct this entry of the file.' })
}

/** The first problem zod found, with its place: `[0].sparsity: Too big: expected number to be <1`. */
export function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues
  if (!issue) return 'not valid'
  const place = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  return `${place.replace(/^\./, '')}${place ? ': ' : ''}${issue.message}`
}
