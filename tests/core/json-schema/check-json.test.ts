import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonMismatch } from '../../../src/core/json-schema/check-json.ts'
import { sampleJson } from '../../../src/core/json-schema/sample-json.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { mutilated } from '../../agent/serve/schema-samples.ts'

const root = {
  components: {
    schemas: {
      'a/b~c': { type: 'integer', minimum: 3, maximum: 9 },
      Row: { type: 'array', prefixItems: [{ type: 'number', minimum: 0, maximum: 120 }, { type: 'boolean' }], items: false, minItems: 2 },
      Answer: {
        type: 'object',
        properties: {
          label: { enum: ['a', 'b', null] },
          scores: { type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 },
          id: { type: 'string', minLength: 1, maxLength: 4 },
          count: { $ref: '#/components/schemas/a~1b~0c' },
          kind: { const: { x: [1], y: 2 } },
        },
        required: ['label', 'scores'],
        additionalProperties: false,
      },
      Either: {
        anyOf: [{ $ref: '#/components/schemas/Row' }, { $ref: '#/components/schemas/Answer' }, { type: ['null', 'integer'] }],
      },
      Only: { oneOf: [{ type: 'integer' }, { type: 'number', minimum: 5 }] },
      Map: { type: 'object', additionalProperties: { type: 'array', items: { $ref: '#/components/schemas/Only' } } },
    },
  },
}
const names = Object.keys(root.components.schemas)
const schemaOf = (name: string) => ({ $ref: `#/components/schemas/${name.replaceAll('~', '~0').replaceAll('/', '~1')}` })

describe('jsonMismatch', () => {
  it('agrees with Ajv about values that fit, nearly fit, and do not', () => {
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema({ ...root, $id: 'https://service.test/' })
    const random = seededRandom(5)
    let fitting = 0
    for (const name of names) {
      const validate = ajv.compile({ $ref: `https://service.test/${schemaOf(name).$ref}` })
      const made = Array.from({ length: 40 }, () => sampleJson(schemaOf(name), root, random))
      const near = fc.sample(fc.constantFrom(...made).chain(mutilated), { numRuns: 150 })
      for (const value of [...made, ...near, ...fc.sample(fc.jsonValue(), { numRuns: 40 })]) {
        // What JSON cannot say never arrives.
        const sent = JSON.parse(JSON.stringify(value ?? null))
        const fits = jsonMismatch(sent, schemaOf(name), root) === null
        expect(fits, `${name}: ${JSON.stringify(sent)}`).toBe(validate(sent))
        if (fits) fitting++
      }
      // Of two forms of which only one may fit, a made value may fit both.
      if (name !== 'Only' && name !== 'Map') for (const value of made) expect(jsonMismatch(value, schemaOf(name), root), name).toBeNull()
    }
    expect(fitting).toBeGreaterThan(200)
  })

  it.each([
    ['a missing property', { scores: [1] }, 'the value lacks "label"'],
    ['one too many', { label: 'a', scores: [1], more: 1 }, 'the value has "more", which is not known'],
    ['a wrong item', { label: 'a', scores: [1, 'x'] }, 'scores[1] must be number, found "x"'],
    ['a text too long', { label: 'a', scores: [1], id: 'five!' }, 'id must have 4 characters at most, found 5'],
    ['a number too small', { label: 'a', scores: [1], count: 2 }, 'count must be at least 3, found 2'],
    ['none of the choices', { label: 'c', scores: [1] }, 'label must be one of ["a","b",null], found "c"'],
  ])('says what is wrong and where: %s', (_what, value, message) => {
    expect(jsonMismatch(value, schemaOf('Answer'), root)).toBe(message)
  })

  it('refuses schemas that it understands only in part', () => {
    expect(() => jsonMismatch(1, { not: {} }, root)).toThrow('the keyword "not" is not known')
    expect(() => jsonMismatch(1, { $ref: '#/components/schemas/None' }, root)).toThrow('points to nothing')
    expect(() => jsonMismatch(1, { $ref: 'https://example.org/x' }, root)).toThrow('points to nothing')
    const circle = { a: { $ref: '#/a' } }
    expect(() => jsonMismatch(1, { $ref: '#/a' }, circle)).toThrow('goes round in circles')
    expect(() => jsonMismatch(1, 5, root)).toThrow('must be an object, true or false')
    expect([jsonMismatch(1, true, root), jsonMismatch(1, false, root)]).toEqual([null, 'the value must be one of [], found 1'])
  })

  it('follows recursive schemas only as far as values can be deep', () => {
    const tree = { list: { type: 'array', items: { $ref: '#/list' } } }
    let deep: unknown[] = []
    for (let level = 0; level < 200; level++) deep = [deep]
    expect(jsonMismatch([[[]]], { $ref: '#/list' }, tree)).toBeNull()
    expect(jsonMismatch(deep, { $ref: '#/list' }, tree)).toContain('nested deeper than 100 levels')
  })
})
