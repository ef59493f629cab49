import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Preprocessing, preprocessingSchema } from '../../src/contract/dataset.ts'
import { redone, stepped, undone } from '../../src/renderer/hooks/history.ts'
import { draftOf, preprocessingOf } from '../../src/renderer/pages/datasets/preprocessing-draft.ts'

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((value) => !Object.is(value, -0))
const size = fc.integer({ min: 1, max: 4096 })
const byte = fc.integer({ min: 0, max: 255 })
const image = fc.record(
  {
    width: size,
    height: size,
    resize: fc.constantFrom('stretch' as const, 'cover' as const, 'contain' as const),
    filter: fc.constantFrom('nearest' as const, 'linear' as const, 'cubic' as const, 'lanczos3' as const),
    colour: fc.constantFrom('rgb' as const, 'grey' as const),
    pad: fc.tuple(byte, byte, byte),
  },
  { noNullPrototype: true },
)
const layout = fc.constantFrom('channels-first' as const, 'channels-last' as const)
const description: fc.Arbitrary<Preprocessing> = fc.record(
  {
    image,
    stored: layout,
    reverseChannels: fc.constant(true),
    scale: number,
    mean: fc.array(number, { minLength: 1, maxLength: 5 }),
    std: fc.array(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 5 }),
    layout,
    dtype: fc.constantFrom('float32' as const, 'uint8' as const),
  },
  { requiredKeys: [], noNullPrototype: true },
)

describe('preprocessing draft', () => {
  it('gives back every description, to the last digit', () => {
    fc.assert(
      fc.property(description, (preprocessing) => {
        expect(preprocessingSchema.safeParse(preprocessing).success).toBe(true)
        expect(preprocessingOf(draftOf(preprocessing))).toEqual(preprocessing)
      }),
    )
  })

  it('knows bytes and the shorter side', () => {
    const preprocessing: Preprocessing = {
      image: { width: 224, height: 224, resize: 'short-side', shortSide: 256, filter: 'linear', colour: 'rgb', pad: [0, 0, 0] },
      scale: 1 / 255,
    }
    expect(draftOf(preprocessing).scaleChoice).toBe('bytes')
    expect(preprocessingOf(draftOf(preprocessing))).toEqual(preprocessing)
    expect(draftOf({ scale: 0.003921 }).scaleChoice).toBe('custom')
  })

  it('refuses what is no number and a wrong number of paddings', () => {
    const draft = draftOf({ image: { width: 8, height: 8, resize: 'contain', filter: 'linear', colour: 'rgb', pad: [0, 0, 0] } })
    const problems = (change: object) => preprocessingSchema.safeParse(preprocessingOf({ ...draft, ...change })).error?.issues.length ?? 0
    expect(problems({})).toBe(0)
    expect(problems({ mean: '1, x' })).toBe(1)
    expect(problems({ std: '0' })).toBe(1)
    expect(problems({ scaleChoice: 'custom', scale: '' })).toBe(1)
    expect(problems({ image: { ...draft.image, pad: '1, 2' } })).toBe(1)
    expect(problems({ image: { ...draft.image, width: '' } })).toBe(1)
  })
})

describe('history', () => {
  const start = { past: [], present: 0, future: [], group: null }

  it('goes back and forth', () => {
    const changed = stepped(stepped(start, 1, 'a'), 2, 'b')
    expect(undone(undone(changed)).present).toBe(0)
    expect(redone(undone(changed)).present).toBe(2)
    expect(undone(start)).toBe(start)
    expect(redone(changed)).toBe(changed)
  })

  it('takes changes of one group as one step, until it was undone', () => {
    const typed = stepped(stepped(stepped(start, 1, 'mean'), 12, 'mean'), 123, 'mean')
    expect(undone(typed).present).toBe(0)
    const again = stepped(undone(typed), 4, 'mean')
    expect(again.future).toEqual([])
    expect(undone(again).present).toBe(0)
  })
})
