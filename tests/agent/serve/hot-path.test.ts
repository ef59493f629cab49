import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyParts } from '../../../src/agent/serve/body-parts.ts'
import { HttpError } from '../../../src/agent/serve/http-error.ts'
import { withFields } from '../../../src/agent/serve/input-fields.ts'
import { modelSignature, type SampleInput } from '../../../src/agent/serve/model-signature.ts'
import { FloatBlock, plainSample } from '../../../src/agent/serve/plain-sample.ts'
import { readSample } from '../../../src/agent/serve/sample-reader.ts'
import { areBytesNestedDeeperThan, isNestedDeeperThan } from '../../../src/core/json-depth.ts'

const ranged = withFields(modelSignature([{ name: 'x', type: 'float32', shape: ['N', 3] }], {}), [
  { input: 'x', index: 0, name: 'a', min: -1, max: 1 },
  { input: 'x', index: 2, name: 'c', min: null, max: 0.1 },
]).inputs[0] as SampleInput

describe('plainSample', () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -1.2, max: 1.2, noNaN: true }) },
    fc.constantFrom(1, -1, 0.1, 0.10000000149011612, 3.5e38, Number.POSITIVE_INFINITY, '1', null, [1], {}),
  )

  it('gives the sample that the careful reader gives, or leaves it to that one', () => {
    let plain = 0
    fc.assert(
      fc.property(fc.oneof(fc.array(value, { minLength: 3, maxLength: 3 }), fc.array(value, { maxLength: 5 }), value), (given) => {
        const quick = plainSample(given, ranged, new FloatBlock(2))
        if (quick === null) return
        plain++
        expect(quick).toEqual(readSample(given, ranged, false, 'x'))
      }),
      { numRuns: 2000 },
    )
    expect(plain).toBeGreaterThan(200)
  })

  it('never takes what the careful reader refuses', () => {
    const refused = [[1, 2], [1.1, 0, 0], [0, 0, 0.2], [0, 0, '0'], [0, 0, 1e39], [[0, 0, 0]], { 0: 0, 1: 0, 2: 0, length: 3 }]
    for (const given of refused) expect(plainSample(given, ranged, new FloatBlock(1)), JSON.stringify(given)).toBeNull()
    expect(() => readSample([1.1, 0, 0], ranged, false, 'x')).toThrow(HttpError)
  })

  it('takes memory by what was seen, not by what was announced', () => {
    const block = new FloatBlock(1000)
    const first = block.take(60_000)
    expect(first.buffer.byteLength).toBe(240_000)
    const small = new FloatBlock(1000)
    const samples = Array.from({ length: 1000 }, (_, index) => small.take(52).fill(index))
    expect(samples.every((values, index) => values.length === 52 && values.every((each) => each === index))).toBe(true)
    expect(new Set(samples.map(({ buffer }) => buffer)).size).toBe(1)
  })
})

it('depth of nesting is the same for text and for its bytes', () => {
  const part = fc.constantFrom('[', ']', '{', '}', '"', '\\', '\\"', '[[[', 'é', '1,', '"a":')
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), fc.nat(6), (parts, limit) => {
      const text = parts.join('')
      expect(areBytesNestedDeeperThan(Buffer.from(text), limit)).toBe(isNestedDeeperThan(text, limit))
    }),
    { numRuns: 2000 },
  )
})

it('parts of a body are put together whole, and small ones share memory', () => {
  const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(4095, 4096, 4097, 16_384, 70_000))
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 20 }), (sizes) => {
      const whole = Buffer.from(Uint8Array.from({ length: sizes.reduce((sum, each) => sum + each, 0) }, (_, index) => index * 7))
      const parts = new BodyParts()
      let next = 0
      for (const each of sizes) {
        parts.add(whole.subarray(next, next + each))
        next += each
      }
      expect(parts.bytes).toBe(whole.length)
      expect(parts.whole().equals(whole)).toBe(true)
    }),
    { numRuns: 100 },
  )
})
