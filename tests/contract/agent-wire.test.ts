import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeWire, encodeWire, WIRE_LINE_LIMIT } from '../../src/contract/agent-wire.ts'
import { EdgesmithError } from '../../src/contract/errors.ts'

/** JSON values and typed arrays, with keys that look like tags and prototypes. */
const messages = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      fc.float32Array({ maxLength: 9 }),
      fc.float64Array({ maxLength: 9 }),
      fc.int32Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('$typed', '$$typed', 'base64', '__proto__', 'constructor')), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
  ),
})).value

function codeOf(line: string): string {
  try {
    decodeWire(line)
  } catch (error) {
    if (error instanceof EdgesmithError) return error.code
    throw error
  }
  return 'accepted'
}

describe('agent wire', () => {
  it('gives every message back, typed arrays bit by bit', () => {
    fc.assert(
      fc.property(messages, (message) => {
        const line = encodeWire(message)
        expect(line).not.toMatch(/[\n\r]/)
        expect(decodeWire(line)).toEqual(message)
      }),
      { numRuns: 500 },
    )
  })

  it('has the documented form', () => {
    expect(encodeWire({ latenciesMs: Float32Array.of(1) })).toBe('{"latenciesMs":{"$typed":"float32","base64":"AACAPw=="}}')
    expect(encodeWire({ a: undefined, b: 1 })).toBe('{"b":1}')
    const slice = new Int32Array([1, 2, 3, 4]).subarray(1, 3)
    expect(decodeWire(encodeWire(slice))).toEqual(Int32Array.of(2, 3))
    expect(decodeWire(encodeWire(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY)))).toEqual(
      Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY),
    )
  })

  it('carries a million latencies', () => {
    const samples = Float32Array.from({ length: 1_000_000 }, (_, i) => Math.sqrt(i))
    expect(decodeWire(encodeWire({ samples }))).toEqual({ samples })
  })

  it('refuses to write what cannot be read back', () => {
    for (const value of [Number.NaN, { a: [Number.POSITIVE_INFINITY] }, new Int16Array(2), { a: new BigInt64Array(1) }, undefined, 1n]) {
      expect(() => encodeWire(value)).toThrow()
    }
  })

  it('never makes a key a prototype', () => {
    const value = decodeWire('{"__proto__":{"polluted":1},"a":{"$typed":"uint8","base64":""}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__', 'a'])
    expect('polluted' in value).toBe(false)
  })

  it('refuses hostile lines with a code', () => {
    const hostile = [
      '',
      'undefined',
      '{"a":1',
      'Segmentation fault',
      '['.repeat(100_000),
      '{"a":'.repeat(100) + 1 + '}'.repeat(100),
      '{"$typed":"float32"}',
      '{"$typed":"float32","base64":"AACAPw==","more":1}',
      '{"$typed":"float32","base64":"AACA"}',
      '{"$typed":"float32","base64":[]}',
      '{"$typed":"int16","base64":"AAA="}',
      '{"$typed":"__proto__","base64":""}',
      '{"$typed":"toString","base64":""}',
      '{"$typed":null,"base64":""}',
      '{"$typed":"uint8","base64":"A"}',
      '{"$typed":"uint8","base64":"AA=\\n"}',
      ' '.repeat(WIRE_LINE_LIMIT + 1),
    ]
    for (const line of hostile) expect(codeOf(line), line.slice(0, 60)).toBe('DEVICE_PROTOCOL')
  })

  it('answers any mutilated line with a value or with that code, nothing else', () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom('', '"', '{', '}', '[', '$', '\\', '0', 'é', '=')), { maxLength: 5 })
    fc.assert(
      fc.property(messages, edits, (message, changes) => {
        let line = encodeWire(message)
        for (const [at, text] of changes) {
          const index = at % (line.length + 1)
          line = line.slice(0, index) + text + line.slice(index + 1)
        }
        expect(['accepted', 'DEVICE_PROTOCOL']).toContain(codeOf(line))
      }),
      { numRuns: 1000 },
    )
  })
})
