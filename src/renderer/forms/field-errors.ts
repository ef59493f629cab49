import type { z } from 'zod'

/**
 * What is wrong with a form's values, by the path of the field (`auth.keyPath`); problems inside an array go to the array.
 * The first message of each field is kept.
 */
export function fieldErrors(schema: z.ZodType, values: unknown): Record<string, string> {
  const parsed = schema.safeParse(values)
  const errors: Record<string, string> = {}
  for (const issue of parsed.error?.issues ?? []) {
    const index = issue.path.findIndex((part) => typeof part === 'number')
    const path = (index < 0 ? issue.path : issue.path.slice(0, index)).map(String).join('.')
    errors[path] ??= sentence(issue.message)
  }
  return errors
}

/** Zod's messages without its prefix: "Invalid input: expected number" becomes "Expected number". */
function sentence(message: string): string {
  const text = message.replace(/^Invalid input: /, '').replace(/^Too (?:small|big): /, '')
  return text.charAt(0).toUpperCase() + text.slice(1)
}
