import fc from 'fast-check'

// biome-ignore lint/suspicious/noExplicitAny: JSON schemas are looked into by keyword
type Schema = any

/** Lists longer than this are not made: the fuzz is about forms, not about sizes. */
const MOST_ITEMS = 3

/**
 * Values that fit a JSON schema of the kind that our documents hold. Not every schema keyword is known; what is made is checked against the schema
 * by a validator where that matters.
 *
 * @param root holds what references point to
 */
export function validSamples(schema: Schema, root: Schema): fc.Arbitrary<unknown> {
  const make = (part: Schema): fc.Arbitrary<unknown> => {
    if (part.$ref !== undefined) return make(resolveRef(part.$ref, root))
    if ('const' in part) return fc.constant(part.const)
    if (part.enum !== undefined) return fc.constantFrom(...part.enum)
    const variants = part.anyOf ?? part.oneOf
    if (variants !== undefined) return fc.oneof(...variants.map(make))
    switch (part.type) {
      case 'object':
        return objects(part, make)
      case 'array':
        return arrays(part, make)
      case 'number':
        return fc.oneof(
          numbers(part),
          fc.integer({ min: Math.max(-100, Math.ceil(part.minimum ?? -100)), max: Math.min(100, Math.floor(part.maximum ?? 100)) }),
        )
      case 'integer':
        return fc.integer({ min: Math.max(-(2 ** 31), part.minimum ?? -(2 ** 31)), max: Math.min(2 ** 31, part.maximum ?? 2 ** 31) })
      case 'boolean':
        return fc.boolean()
      case 'string':
        return fc.string({ maxLength: Math.min(20, part.maxLength ?? 20), unit: 'binary' })
      default:
        return fc.constant(null)
    }
  }
  return make(schema)
}

export function resolveRef(ref: string, root: Schema): Schema {
  return ref
    .slice(2)
    .split('/')
    .reduce((part, key) => part[key.replaceAll('~1', '/').replaceAll('~0', '~')], root)
}

function numbers({ minimum, maximum }: Schema): fc.Arbitrary<number> {
  return fc.double({ min: minimum ?? -1e6, max: maximum ?? 1e6, noNaN: true, noDefaultInfinity: true })
}

function objects({ properties = {}, required = [] }: Schema, make: (part: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const entries = Object.entries(properties).map(([name, part]) => {
    const value = make(part)
    return fc.tuple(fc.constant(name), required.includes(name) ? value : fc.option(value, { nil: undefined }))
  })
  return fc.tuple(...entries).map((pairs) => Object.fromEntries(pairs.filter(([, value]) => value !== undefined)))
}

function arrays(
  { prefixItems, items, minItems = 0, maxItems }: Schema,
  make: (part: Schema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  if (prefixItems !== undefined) return fc.tuple(...prefixItems.map(make))
  const longest = Math.max(minItems, Math.min(maxItems ?? MOST_ITEMS, MOST_ITEMS))
  return items === false ? fc.constant([]) : fc.array(make(items ?? {}), { minLength: minItems, maxLength: longest })
}

/** The value with one thing in it changed, somewhere: a key too many or too few, another type, a number out of any range, a list of another length. */
export function mutilated(value: unknown): fc.Arbitrary<unknown> {
  const other = fc.constantFrom<unknown>(null, 'text', -1, 1e308, 1.5, true, [], {}, [[]], [1, 2, 3], { a: 1 }, 2 ** 53, '')
  return fc
    .tuple(fc.array(fc.nat(), { maxLength: 8 }), other, fc.nat(3))
    .map(([path, replacement, how]) => changed(value, path, replacement, how))
}

function changed(value: unknown, path: readonly number[], replacement: unknown, how: number): unknown {
  const [step, ...rest] = path
  if (Array.isArray(value) && value.length > 0) {
    if (step === undefined) return how === 0 ? value.slice(1) : how === 1 ? [...value, value[0]] : how === 2 ? [value] : replacement
    const at = step % value.length
    return value.map((entry, index) => (index === at ? changed(entry, rest, replacement, how) : entry))
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const entries = Object.entries(value)
    if (step === undefined || entries.length === 0) {
      return how === 0
        ? Object.fromEntries(entries.slice(1))
        : how === 1
          ? { ...value, more: replacement }
          : how === 2
            ? [value]
            : replacement
    }
    const at = step % entries.length
    return Object.fromEntries(entries.map(([key, entry], index) => [key, index === at ? changed(entry, rest, replacement, how) : entry]))
  }
  return replacement
}
