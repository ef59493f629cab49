import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../src/core/base64.ts'
import { isNestedDeeperThan } from '../../src/core/json-depth.ts'

describe('base64', () => {
  it('has the test vectors of RFC 4648 §10', () => {
    const vectors = { '': '', f: 'Zg==', fo: 'Zm8=', foo: 'Zm9v', foob: 'Zm9vYg==', fooba: 'Zm9vYmE=', foobar: 'Zm9vYmFy' }
    for (const [text, encoded] of Object.entries(vectors)) {
      expect(encodeBase64(new TextEncoder().encode(text))).toBe(encoded)
      expect(new TextDecoder().decode(decodeBase64(encoded))).toBe(text)
    }
  })

  it('is what Node.js writes, and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const text = encodeBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(decodeBase64(text)).toEqual(bytes)
      }),
    )
  })

  it('has one spelling only: whatever is accepted is written the same again', () => {
    const characters = fc.constantFrom(...'AQgw/+9=. é')
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 12 }), (text) => {
        let bytes: Uint8Array
        try {
          bytes = decodeBase64(text)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          return
        }
        expect(encodeBase64(bytes)).toBe(text)
      }),
      { numRuns: 2000 },
    )
    for (const text of ['A', 'AA', 'AAA', 'AA=A', '====', 'A===', 'AB==', 'AAB=', 'AA==AAAA', 'AA\n=', 'AAA-']) {
      expect(() => decodeBase64(text), text).toThrow(RangeError)
    }
  })
})

describe('isNestedDeeperThan', () => {
  it('counts the levels of any JSON text', () => {
    const depthOf = (value: unknown): number =>
      typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const [text, depth] = [JSON.stringify(value), depthOf(value)]
        expect(isNestedDeeperThan(text, depth)).toBe(false)
        if (depth > 0) expect(isNestedDeeperThan(text, depth - 1)).toBe(true)
      }),
    )
  })

  it('does not look into strings', () => {
    expect(isNestedDeeperThan(JSON.stringify(['[[[[', '"[[\\', '\\"[[[{']), 1)).toBe(false)
    expect(isNestedDeeperThan('["[[[[', 1)).toBe(false)
    expect(isNestedDeeperThan('['.repeat(10_000_000), 32)).toBe(true)
  })
})
