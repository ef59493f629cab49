import { CoreError } from '../core-error.ts'

/** A schema as a document holds it: `true`, `false` or keywords. */
export type JsonSchema = unknown

/** Keywords that say nothing about which values fit. */
const SILENT: ReadonlySet<string> = new Set(['title', 'description', 'default', 'examples', 'example', 'deprecated', '$comment'])
/** Those that `check-json.ts` knows. */
const KNOWN: ReadonlySet<string> = new Set([
  '$ref',
  'const',
  'enum',
  'anyOf',
  'oneOf',
  'allOf',
  'type',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'prefixItems',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
])

/**
 * Keywords of a schema, references followed.
 * @param root what references (`#/…`) point into
 * @throws CoreError `JSON_SCHEMA_UNKNOWN` for a keyword that is not known (a schema that is only half understood proves nothing), or a reference to nothing
 */
export function keywordsOf(schema: JsonSchema, root: unknown): Readonly<Record<string, unknown>> {
  let keywords = asObject(schema)
  for (let depth = 0; keywords.$ref !== undefined; depth++) {
    if (depth > 32) throw unknown(`the reference ${String(keywords.$ref)} goes round in circles`)
    keywords = asObject(referred(String(keywords.$ref), root))
  }
  for (const keyword of Object.keys(keywords)) {
    if (!KNOWN.has(keyword) && !SILENT.has(keyword)) throw unknown(`the keyword "${keyword}" is not known`)
  }
  return keywords
}

/** What a reference of a document (`#/components/schemas/Sample`) points to. @throws CoreError `JSON_SCHEMA_UNKNOWN` */
export function referred(reference: string, root: unknown): unknown {
  const steps = reference.startsWith('#/') ? reference.slice(2).split('/') : []
  let part: unknown = reference.startsWith('#/') ? root : undefined
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    part = typeof part === 'object' && part !== null && Object.hasOwn(part, key) ? (part as Record<string, unknown>)[key] : undefined
  }
  if (part === undefined) throw unknown(`the reference ${reference} points to nothing`)
  return part
}

function asObject(schema: JsonSchema): Readonly<Record<string, unknown>> {
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema as Record<string, unknown>
  if (schema === true) return {}
  // Nothing is one of no values.
  if (schema === false) return { enum: [] }
  throw unknown('a schema must be an object, true or false')
}

function unknown(what: string): CoreError {
  return new CoreError('JSON_SCHEMA_UNKNOWN', `The JSON schema cannot be used: ${what}.`)
}
