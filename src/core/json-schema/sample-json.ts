import type { RandomSource } from '../statistics/seeded-random.ts'
import { type JsonSchema, keywordsOf } from './json-schema.ts'

/** Lists are no longer than this where the schema leaves it open. */
const MOST_ITEMS = 3
/** Numbers without bounds are taken from −1 to 1, where models are at home. */
const RANGE = 1
/** Whole numbers without bounds: indices of a look-up table are seldom out of range. */
const WHOLE_RANGE = 1
const MOST_CHARACTERS = 8
const MOST_DEPTH = 100

/**
 * A value that fits a schema, of the same part of JSON Schema as `check-json.ts` (of strings with a pattern, `allOf` and types in a list
 * it knows nothing: check what it made).
 *
 * @param root what references point into
 * @throws CoreError `JSON_SCHEMA_UNKNOWN`
 */
export function sampleJson(schema: JsonSchema, root: unknown, random: RandomSource): unknown {
  return sample(schema, root, random, 0)
}

function sample(schema: JsonSchema, root: unknown, random: RandomSource, depth: number): unknown {
  if (depth > MOST_DEPTH) return null
  const keywords = keywordsOf(schema, root)
  const { enum: choices, anyOf, oneOf, type } = keywords
  const inside = (part: JsonSchema) => sample(part, root, random, depth + 1)
  if ('const' in keywords) return keywords.const
  if (Array.isArray(choices)) return pick(choices, random)
  const variants = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined
  if (variants) return inside(pick(variants, random))
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return sampleObject(keywords, random, inside)
    case 'array':
      return sampleList(keywords, random, inside)
    case 'number':
      return sampleNumber(keywords, random)
    case 'integer':
      return sampleWhole(keywords, random)
    case 'boolean':
      return random.below(2) === 1
    case 'string':
      return sampleText(keywords, random)
    default:
      return null
  }
}

type Keywords = Readonly<Record<string, unknown>>
type Inside = (part: JsonSchema) => unknown

function pick(choices: readonly unknown[], random: RandomSource): unknown {
  return choices.length === 0 ? null : choices[random.below(choices.length)]
}

/** Properties that may be missing are, every other time. */
function sampleObject({ properties = {}, required = [] }: Keywords, random: RandomSource, inside: Inside): Record<string, unknown> {
  const needed = new Set(required as readonly string[])
  const entries = Object.entries(properties as Keywords).filter(([name]) => needed.has(name) || random.below(2) === 1)
  return Object.fromEntries(entries.map(([name, part]) => [name, inside(part)]))
}

function sampleList({ prefixItems, items, minItems, maxItems }: Keywords, random: RandomSource, inside: Inside): unknown[] {
  const first = Array.isArray(prefixItems) ? prefixItems.map(inside) : []
  if (items === false) return first
  const fewest = typeof minItems === 'number' ? minItems : 0
  const most = Math.max(fewest, Math.min(typeof maxItems === 'number' ? maxItems : MOST_ITEMS, MOST_ITEMS))
  const length = fewest + random.below(most - fewest + 1)
  return [...first, ...Array.from({ length: Math.max(0, length - first.length) }, () => inside(items ?? true))]
}

/** Between the bounds that are given; a bound far away (of a type) is like none. */
function bounds({ minimum, maximum }: Keywords, range: number): [number, number] {
  const low = typeof minimum === 'number' ? minimum : Number.NEGATIVE_INFINITY
  const high = typeof maximum === 'number' ? maximum : Number.POSITIVE_INFINITY
  const isField = high - low < 1e6
  const from = isField ? low : Math.max(low, Math.min(-range, high))
  return [from, isField ? high : Math.min(high, Math.max(range, from))]
}

function sampleNumber(keywords: Keywords, random: RandomSource): number {
  const [low, high] = bounds(keywords, RANGE)
  return Math.min(high, low + random.uniform() * (high - low))
}

function sampleWhole(keywords: Keywords, random: RandomSource): number {
  const [low, high] = bounds(keywords, WHOLE_RANGE).map(Math.trunc) as [number, number]
  return low + random.below(Math.min(high - low, 2 ** 31) + 1)
}

function sampleText({ minLength, maxLength }: Keywords, random: RandomSource): string {
  const fewest = typeof minLength === 'number' ? minLength : 0
  const most = Math.max(fewest, Math.min(typeof maxLength === 'number' ? maxLength : MOST_CHARACTERS, MOST_CHARACTERS))
  return Array.from({ length: fewest + random.below(most - fewest + 1) }, () => String.fromCharCode(97 + random.below(26))).join('')
}
