import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { fieldsBody, inputsBody, refusal, refusedName, startInput } from '../../src/renderer/pages/deployments/try-it/request-body.ts'
import { pythonLiteral, requestSnippet } from '../../src/renderer/pages/deployments/try-it/request-snippets.ts'
import { type FormField, rangeText, servedForm, startValue } from '../../src/renderer/pages/deployments/try-it/served-form.ts'

const field = (more: Partial<FormField>): FormField => ({ name: 'x', kind: 'number', min: null, max: null, ...more })

const typed = (values: Record<string, string>) => new Map(Object.entries(values))

/** The parts of a service's own description that the form is made from. */
const described = (content: Record<string, unknown>, schemas: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  modelInfo: { inputs: [{ name: 'features', type: 'float32', shape: ['batch', 2], sent_shape: [2] }], ...more },
  openApi: { paths: { '/predict': { post: { requestBody: { content } } } }, components: { schemas } },
})

describe('servedForm', () => {
  it('reads named values with their ranges, without the bounds of their type', () => {
    const properties = {
      age: { title: 'age', type: 'number', minimum: 18, maximum: 90 },
      debt: { type: 'number', minimum: -3.4028234663852886e38, maximum: 3.4028234663852886e38 },
      rooms: { type: 'integer', minimum: 1, maximum: 9 },
    }
    expect(servedForm(described({ 'application/json': {} }, { NamedFields: { properties } }))?.fields).toEqual([
      { name: 'age', kind: 'number', min: 18, max: 90 },
      { name: 'debt', kind: 'number', min: null, max: null },
      { name: 'rooms', kind: 'integer', min: 1, max: 9 },
    ])
  })

  it('knows where images and embeddings are taken', () => {
    const form = servedForm(described({ 'application/json': {}, 'image/jpeg': {}, 'image/png': {} }, {}, { embedding: 'hidden' }))
    expect(form).toMatchObject({ imageTypes: ['image/jpeg', 'image/png'], hasEmbedding: true, fields: [] })
    expect(form?.inputs).toEqual([{ name: 'features', type: 'float32', shape: [2] }])
    expect(servedForm(described({}))).toMatchObject({ imageTypes: [], hasEmbedding: false })
  })

  it('refuses what is no description', () => {
    for (const modelInfo of [null, 'x', {}, { inputs: [{ name: 3 }] }]) expect(servedForm({ modelInfo, openApi: {} })).toBeNull()
  })
})

describe('fields', () => {
  it('begin with a value inside their range', () => {
    expect(startValue(field({ min: 18, max: 90 }))).toBe('54')
    expect(startValue(field({ kind: 'integer', min: 0, max: 1 }))).toBe('1')
    expect(startValue(field({ min: 5 }))).toBe('5')
    expect(startValue(field({ max: -2 }))).toBe('-2')
    expect(startValue(field({}))).toBe('0')
    // Rounding to four digits would leave so narrow a range.
    const narrow = Number(startValue(field({ min: 1.23456, max: 1.23457 })))
    expect(narrow).toBeGreaterThanOrEqual(1.23456)
    expect(narrow).toBeLessThanOrEqual(1.23457)
  })

  it('say their range', () => {
    expect(rangeText(field({ min: 18, max: 90 }))).toBe('18 to 90')
    expect(rangeText(field({ kind: 'integer', min: 1 }))).toBe('whole, from 1')
    expect(rangeText(field({}))).toBe('')
  })

  it('become a request, or say which of them cannot', () => {
    const fields = [field({ name: 'a' }), field({ name: '__proto__', kind: 'text' }), field({ name: 'yes', kind: 'boolean' })]
    const made = fieldsBody(fields, typed({ a: ' 1e3 ', ['__proto__']: 'b', yes: 'true' }))
    expect(JSON.stringify(made.body)).toBe('{"fields":{"a":1000,"__proto__":"b","yes":true}}')
    expect(fieldsBody(fields, typed({ a: 'five', yes: 'true' })).problems).toEqual(typed({ a: 'Not a number' }))
    expect(fieldsBody(fields, typed({ a: '', yes: '1' })).problems).toEqual(typed({ a: 'Not a number', yes: 'true or false' }))
  })
})

describe('inputs', () => {
  it('begin with zeros in their shape, unless they are many', () => {
    expect(startInput({ name: 'x', type: 'float32', shape: [2, 2] })).toBe('[[0,0],[0,0]]')
    expect(startInput({ name: 'x', type: 'bool', shape: [null, 2] })).toBe('[[false,false]]')
    expect(startInput({ name: 'x', type: 'string', shape: [] })).toBe('""')
    expect(startInput({ name: 'x', type: 'float32', shape: [3, 224, 224] })).toBe('')
  })

  it('become a request out of JSON', () => {
    const inputs = [{ name: 'x', type: 'float32', shape: [2] }]
    expect(inputsBody(inputs, typed({ x: '[1, 2]' })).body).toEqual({ inputs: { x: [1, 2] } })
    expect(inputsBody(inputs, typed({ x: ' ' })).problems).toEqual(typed({ x: 'Give its values' }))
    expect(inputsBody(inputs, typed({ x: '[1,' })).problems?.get('x')).toMatch(/JSON/)
  })
})

describe('a refusal', () => {
  const refused = (message: string) => ({ error: { code: 'OUT_OF_RANGE', message, hint: 'The range of "age" is 18 to 90.' } })

  it('is read with its hint, also in the form of the protocol', () => {
    expect(refusal(refused('no'))).toEqual({ code: 'OUT_OF_RANGE', message: 'no', hint: 'The range of "age" is 18 to 90.' })
    expect(refusal({ error: 'no' })).toEqual({ code: '', message: 'no', hint: null })
    for (const other of [{ outputs: {} }, null, 'text', { error: 5 }]) expect(refusal(other)).toBeNull()
  })

  it('is put at the field it names', () => {
    const names = ['age', 'age group', 'debt']
    expect(refusedName(refused('fields.age group must be at most 90, found 200.'), names)).toBe('age group')
    expect(refusedName(refused('fields.age must be at most 90, found 200.'), names)).toBe('age')
    expect(refusedName(refused('inputs.features: value 3 ("debt") must be at least 0, found -1.'), names)).toBe('debt')
    expect(refusedName(refused('The body is not JSON.'), names)).toBeNull()
    expect(refusedName({ outputs: {} }, names)).toBeNull()
  })
})

describe('requestSnippet', () => {
  const url = 'http://127.0.0.1:4000'
  const hostile = { fields: { "a'; touch pwned; echo '\n$(id)`": 1.5, ok: true, none: null } }

  it('lets no name of a model out of its quotes', () => {
    const text = requestSnippet('curl', { url, body: { json: hostile } })
    const payload = execFileSync('sh', ['-c', `printf %s ${text.slice(text.lastIndexOf('--data-binary ') + 14)}`]).toString()
    expect(JSON.parse(payload)).toEqual(hostile)
    const script = requestSnippet('JavaScript', { url, body: { json: hostile } })
    const [, body] = /body: JSON\.stringify\((.*)\),\n/.exec(script) ?? []
    expect(JSON.parse(body ?? '')).toEqual(hostile)
  })

  it('writes JSON as Python does', () => {
    expect(pythonLiteral({ a: [1, true, null, 'x"y'], b: {} })).toBe('{"a": [1, True, None, "x\\"y"], "b": {}}')
    expect(requestSnippet('Python', { url, body: { json: hostile } })).toContain('"ok": True, "none": None')
  })

  it('takes large bodies and images from a file, and never holds the token', () => {
    const large = { inputs: { x: Array.from({ length: 2000 }, () => 0) } }
    for (const language of ['curl', 'Python', 'JavaScript'] as const) {
      const text = requestSnippet(language, { url, body: { json: large } })
      expect(text).toContain('body.json')
      expect(text).toContain(`${url}/predict`)
      expect(text).toContain('TOKEN')
      expect(requestSnippet(language, { url, body: { contentType: 'image/png', fileName: 'it is.png' } })).toMatch(
        /it is\.png[\s\S]*|image\/png/,
      )
    }
  })
})
