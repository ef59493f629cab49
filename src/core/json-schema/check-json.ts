import { type JsonSchema, keywordsOf } from './json-schema.ts'

/** Deeper values are refused instead of followed. */
const MOST_DEPTH = 100

/**
 * Checks a JSON value against a schema (the part of JSON Schema 2020-12 that `json-schema.ts` names). Lengths of strings count code points.
 *
 * @param root what references point into
 * @returns what is wrong first, with its place (`results[0].outputs.y`), or null when the value fits
 * @throws CoreError `JSON_SCHEMA_UNKNOWN` where the schema says something that is not known
 */
export function jsonMismatch(value: unknown, schema: JsonSchema, root: unknown): string | null {
  return mismatch(value, schema, root, '', 0)
}

function mismatch(value: unknown, schema: JsonSchema, root: unknown, place: string, depth: number): string | null {
  const here = place === '' ? 'the value' : place
  if (depth > MOST_DEPTH) return `${here} is nested deeper than ${MOST_DEPTH} levels`
  const keywords = keywordsOf(schema, root)
  const inside = (part: unknown, partSchema: JsonSchema, step: string) => mismatch(part, partSchema, root, `${place}${step}`, depth + 1)
  if ('const' in keywords && !same(value, keywords.const)) return `${here} must be ${shown(keywords.const)}, found ${shown(value)}`
  const { enum: choices, type, anyOf, oneOf, allOf } = keywords
  if (Array.isArray(choices) && !choices.some((choice) => same(value, choice)))
    return `${here} must be one of ${shown(choices)}, found ${shown(value)}`
  if (type !== undefined && ![type].flat().some((name) => isOfType(value, name))) {
    return `${here} must be ${[type].flat().join(' or ')}, found ${shown(value)}`
  }
  if (Array.isArray(allOf)) {
    for (const part of allOf) {
      const wrong = mismatch(value, part, root, place, depth + 1)
      if (wrong !== null) return wrong
    }
  }
  const variants = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  if (variants) {
    const found = variants.map((variant) => mismatch(value, variant, root, place, depth + 1))
    const fitting = found.filter((wrong) => wrong === null).length
    if (fitting === 0) return `${here} fits none of ${variants.length} forms (${found.join('; ').slice(0, 500)})`
    if (variants === oneOf && fitting > 1) return `${here} fits ${fitting} forms of which only one may fit`
  }
  if (typeof value === 'number') return wrongNumber(value, keywords, here)
  if (typeof value === 'string') return wrongText(value, keywords, here)
  if (Array.isArray(value)) return wrongList(value, keywords, here, inside)
  if (typeof value === 'object' && value !== null) return wrongObject(value as Record<string, unknown>, keywords, here, inside)
  return null
}

type Keywords = Readonly<Record<string, unknown>>
type Inside = (part: unknown, schema: JsonSchema, step: string) => string | null

function wrongNumber(value: number, { minimum, maximum }: Keywords, here: string): string | null {
  if (typeof minimum === 'number' && value < minimum) return `${here} must be at least ${minimum}, found ${value}`
  if (typeof maximum === 'number' && value > maximum) return `${here} must be at most ${maximum}, found ${value}`
  return null
}

function wrongText(value: string, { minLength, maxLength, pattern }: Keywords, here: string): string | null {
  const length = [...value].length
  if (typeof minLength === 'number' && length < minLength) return `${here} must have ${minLength} characters at least, found ${length}`
  if (typeof maxLength === 'number' && length > maxLength) return `${here} must have ${maxLength} characters at most, found ${length}`
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) return `${here} must match ${pattern}, found ${shown(value)}`
  return null
}

function wrongList(value: readonly unknown[], keywords: Keywords, here: string, inside: Inside): string | null {
  const { minItems, maxItems, prefixItems, items } = keywords
  if (typeof minItems === 'number' && value.length < minItems) return `${here} must have ${minItems} items at least, found ${value.length}`
  if (typeof maxItems === 'number' && value.length > maxItems) return `${here} must have ${maxItems} items at most, found ${value.length}`
  const first = Array.isArray(prefixItems) ? prefixItems : []
  for (const [index, item] of value.entries()) {
    if (index >= first.length && items === undefined) return null
    const wrong = inside(item, index < first.length ? first[index] : items, `[${index}]`)
    if (wrong !== null) return wrong
  }
  return null
}

function wrongObject(value: Readonly<Record<string, unknown>>, keywords: Keywords, here: string, inside: Inside): string | null {
  const { required, properties = {}, additionalProperties } = keywords
  const missing = Array.isArray(required) ? required.find((name) => !Object.hasOwn(value, name)) : undefined
  if (missing !== undefined) return `${here} lacks ${shown(missing)}`
  for (const [name, part] of Object.entries(value)) {
    const known = Object.hasOwn(properties as object, name)
    if (!known && additionalProperties === undefined) continue
    if (!known && additionalProperties === false) return `${here} has ${shown(name)}, which is not known`
    const wrong = inside(part, known ? (properties as Keywords)[name] : additionalProperties, `.${name}`)
    if (wrong !== null) return wrong.replace(/^\./, '')
  }
  return null
}

function isOfType(value: unknown, type: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === type
  }
}

/** Whether two JSON values are equal; the order of an object's keys does not matter. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), b as Readonly<Record<string, unknown>>]
  return left.length === Object.keys(right).length && left.every(([key, value]) => Object.hasOwn(right, key) && same(value, right[key]))
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
