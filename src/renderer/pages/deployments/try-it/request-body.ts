import type { FormField, FormInput } from './served-form.ts'

/** A request, or what keeps it from being made, by the name of the field or input. */
export type RequestBody =
  | { readonly body: Readonly<Record<string, unknown>>; readonly problems?: undefined }
  | { readonly body?: undefined; readonly problems: ReadonlyMap<string, string> }

/** Inputs of at most this many numbers begin with zeros; larger ones are pasted or come from a dataset. */
const MOST_START_VALUES = 1024

/** `{"fields": …}` out of what was typed. Ranges are left to the service: that it refuses is worth seeing. */
export function fieldsBody(fields: readonly FormField[], typed: ReadonlyMap<string, string>): RequestBody {
  const problems = new Map<string, string>()
  const entries = fields.map(({ name, kind }) => {
    const text = (typed.get(name) ?? '').trim()
    if (kind === 'text') return [name, typed.get(name) ?? ''] as const
    if (kind === 'boolean') {
      if (text !== 'true' && text !== 'false') problems.set(name, 'true or false')
      return [name, text === 'true'] as const
    }
    const value = Number(text)
    if (text === '' || !Number.isFinite(value)) problems.set(name, 'Not a number')
    return [name, value] as const
  })
  return problems.size > 0 ? { problems } : { body: { fields: Object.fromEntries(entries) } }
}

/** `{"inputs": …}` out of JSON that was typed for each input. */
export function inputsBody(inputs: readonly FormInput[], typed: ReadonlyMap<string, string>): RequestBody {
  const problems = new Map<string, string>()
  const entries = inputs.map(({ name }) => {
    try {
      return [name, JSON.parse(typed.get(name) ?? '') as unknown] as const
    } catch (error) {
      problems.set(name, (typed.get(name) ?? '').trim() === '' ? 'Give its values' : error instanceof Error ? error.message : String(error))
      return [name, null] as const
    }
  })
  return problems.size > 0 ? { problems } : { body: { inputs: Object.fromEntries(entries) } }
}

/** Zeros in the shape of an input, as JSON; empty where they would be many. Sizes that are left open become 1. */
export function startInput({ type, shape }: FormInput): string {
  const sizes = shape.map((size) => (typeof size === 'number' ? size : 1))
  if (sizes.reduce((product, size) => product * size, 1) > MOST_START_VALUES) return ''
  const element = type === 'bool' ? false : type === 'string' ? '' : 0
  return JSON.stringify(filled(sizes, element))
}

function filled([size, ...rest]: readonly number[], element: unknown): unknown {
  return size === undefined ? element : Array.from({ length: size }, () => filled(rest, element))
}

/** The field or input a refusal speaks of; null where it names none. */
export function refusedName(response: unknown, names: readonly string[]): string | null {
  const message = refusal(response)?.message ?? ''
  // The longest first: "age" is in "fields.age_group must be …" too.
  const byLength = [...names].sort((a, b) => b.length - a.length)
  return (
    byLength.find((name) =>
      [`fields.${name} `, `("${name}") `, `inputs.${name} `, `inputs.${name}:`].some((part) => message.includes(part)),
    ) ?? null
  )
}

/** What a service answers instead of a prediction; null for a prediction. */
export function refusal(response: unknown): { readonly code: string; readonly message: string; readonly hint: string | null } | null {
  if (typeof response !== 'object' || response === null || !('error' in response)) return null
  const { error } = response
  if (typeof error === 'string') return { code: '', message: error, hint: null }
  if (typeof error !== 'object' || error === null || !('message' in error) || typeof error.message !== 'string') return null
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    message: error.message,
    hint: 'hint' in error && typeof error.hint === 'string' ? error.hint : null,
  }
}
