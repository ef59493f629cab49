import { z } from 'zod'

/** What can be said of a setting from its schema alone. */
export interface SchemaFacts {
  readonly type: 'integer' | 'number' | 'boolean' | 'list' | 'record' | 'text'
  readonly minimum?: number
  readonly maximum?: number
  /** The limits themselves are not allowed. */
  readonly exclusive: boolean
  readonly choices?: readonly string[]
  readonly defaultValue?: unknown
  readonly description?: string
}

/** Reads type, limits, choices, default and description of a setting out of its schema. */
export function schemaFacts(schema: z.ZodType): SchemaFacts {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  // Draft 4 of JSON Schema has booleans there; zod writes a later draft, with numbers.
  const [minimum, maximum] = [json.minimum ?? json.exclusiveMinimum, json.maximum ?? json.exclusiveMaximum].map(Number) as [number, number]
  const choices = json.enum ?? literalChoices(json.anyOf)
  return {
    type: choices?.every((choice) => typeof choice === 'number') ? 'number' : typeOf(json.type),
    ...(minimum > Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum < Number.MAX_SAFE_INTEGER && { maximum }),
    exclusive: json.exclusiveMinimum !== undefined || json.exclusiveMaximum !== undefined,
    ...(choices && { choices: choices.map(String) }),
    ...(json.default !== undefined && { defaultValue: json.default }),
    ...(json.description !== undefined && { description: json.description }),
  }
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/** The values of a union of literals; undefined for any other union. */
function literalChoices(options: JsonSchema['anyOf']): unknown[] | undefined {
  const values = options?.map((option) => (typeof option === 'object' ? option.const : undefined))
  return values?.every((value) => value !== undefined) ? values : undefined
}

function typeOf(type: JsonSchema['type']): SchemaFacts['type'] {
  if (type === 'integer' || type === 'number' || type === 'boolean') return type
  return type === 'array' ? 'list' : type === 'object' ? 'record' : 'text'
}

/** What a value must be, in words: `a whole number from 1 to 256`. */
function expectation(facts: SchemaFacts): string {
  const { minimum, maximum, exclusive, choices } = facts
  if (choices) return `one of ${choices.join(', ')}`
  if (facts.type === 'boolean') return 'true or false'
  if (facts.type === 'list') return 'a list separated by commas'
  if (facts.type === 'record') return 'JSON like {"name": …}'
  if (facts.type === 'text') return 'text'
  const kind = facts.type === 'integer' ? 'a whole number' : 'a number'
  const low =
    minimum === undefined ? '' : exclusive ? ` above ${minimum}` : maximum === undefined ? ` of at least ${minimum}` : ` from ${minimum}`
  const high =
    maximum === undefined ? '' : exclusive ? ` below ${maximum}` : minimum === undefined ? ` of at most ${maximum}` : ` to ${maximum}`
  return `${kind}${low}${low && high && exclusive ? ' and' : ''}${high}`
}

/**
 * Text from the command line as a value of the schema.
 *
 * @throws Error with a message that continues a sentence: `must be a whole number from 1 to 256, found "many"`
 */
export function readSetting<T>(schema: z.ZodType<T>, text: string): T {
  const facts = schemaFacts(schema)
  const parsed = schema.safeParse(asTyped(facts, text))
  if (parsed.success) return parsed.data
  const ownWords = (facts.type === 'text' && !facts.choices) || facts.type === 'record'
  const reason = ownWords ? parsed.error.issues[0]?.message : undefined
  throw new Error(reason ? `is not usable: ${reason} (found "${text}")` : `must be ${expectation(facts)}, found "${text}"`)
}

/** The text as a value of the schema's type where it reads as one; otherwise unchanged, for the schema to refuse. */
function asTyped({ type }: SchemaFacts, text: string): unknown {
  if (type === 'integer' || type === 'number') return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : text
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text
  if (type === 'record') return parsedJson(text)
  if (type === 'list') return text === '' ? [] : text.split(',').map((part) => part.trim())
  return text
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
