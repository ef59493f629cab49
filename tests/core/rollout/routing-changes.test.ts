import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rolloutSchema, routingSchema } from '../../../src/contract/routing.ts'
import { afterCrash } from '../../../src/core/rollout/after-crash.ts'
import { currentWeight, type Routing } from '../../../src/core/rollout/routing.ts'
import { advance, keep, promote, rollBack, rollOut, setWeight, takeBack, withdraw } from '../../../src/core/rollout/routing-changes.ts'

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(16)) as [string, string, string, string]
const moment = { at: '2026-01-02T03:04:05.000Z', bootId: 'boot 1' }
const alone: Routing = { version: 1, current: A, previous: null, beside: [], watch: null }
const rollout = (changes: object = {}) => rolloutSchema.parse(changes)

describe('a switch', () => {
  it('makes the release current, the old one previous, and watches', () => {
    const { routing } = rollOut(alone, B, rollout(), moment)
    expect(routing).toMatchObject({ current: B, previous: A, beside: [], watch: { seconds: 60, since: moment.at, bootId: 'boot 1' } })
    expect(keep(routing).watch).toBeNull()
    expect(rollOut(alone, B, rollout({ watchSeconds: 0 }), moment).routing.watch).toBeNull()
    expect(rollOut(alone, A, rollout(), moment).routing).toBe(alone)
  })

  it('is not made while a canary goes up', () => {
    const { routing } = rollOut(alone, B, rollout({ kind: 'canary' }), moment)
    expect(() => rollOut(routing, C, rollout(), moment)).toThrow(`Release ${B} is a canary that is still going up.`)
    expect(() => rollOut(routing, C, rollout({ kind: 'split' }), moment)).toThrow('canary')
    expect(rollOut(routing, C, rollout({ kind: 'shadow' }), moment).routing.beside).toHaveLength(2)
    expect(rollOut(routing, B, rollout(), moment).routing).toMatchObject({ current: B, beside: [] })
  })
})

describe('a canary', () => {
  it('goes up its steps in order and becomes current behind the last', () => {
    let { routing } = rollOut(alone, B, rollout({ kind: 'canary', steps: [50, 1, 10], watchSeconds: 7 }), moment)
    const weights = [routing.beside[0]?.weight]
    for (let step = 0; step < 2; step++) {
      routing = advance(routing, B, { at: `2026-01-02T03:0${step}:00.000Z`, bootId: 'boot 1' }).routing
      weights.push(routing.beside[0]?.weight)
      expect(routing.beside[0]?.since).toBe(`2026-01-02T03:0${step}:00.000Z`)
    }
    expect(weights).toEqual([1, 10, 50])
    expect(advance(routing, B, moment).routing).toMatchObject({ current: B, previous: A, beside: [], watch: { seconds: 7 } })
  })

  it('takes no more than a split leaves', () => {
    const split = rollOut(alone, C, rollout({ kind: 'split', weight: 70 }), moment).routing
    const { routing } = rollOut(split, B, rollout({ kind: 'canary', steps: [10, 50] }), moment)
    expect(currentWeight(routing)).toBe(20)
    const next = advance(routing, B, moment).routing
    expect(next.beside.map(({ weight }) => weight)).toEqual([70, 30])
    expect(currentWeight(next)).toBe(0)
  })
})

describe('shares', () => {
  it('stay within 100 % and are set for splits only', () => {
    const split = rollOut(alone, B, rollout({ kind: 'split', weight: 60 }), moment).routing
    expect(() => rollOut(split, C, rollout({ kind: 'split', weight: 50 }), moment)).toThrow('60 % already: 50 % more is over 100 %.')
    expect(setWeight(split, B, 100, moment).routing.beside[0]?.weight).toBe(100)
    const shadow = rollOut(split, C, rollout({ kind: 'shadow' }), moment).routing
    expect(() => setWeight(shadow, C, 5, moment)).toThrow('The share of a shadow is not set by hand.')
    expect(() => setWeight(shadow, D, 5, moment)).toThrow(`Release ${D} is not beside the current one.`)
    expect(promote(shadow, C, moment).routing).toMatchObject({ current: C, previous: A, beside: [{ release: B }] })
    expect(withdraw(shadow, C).routing.beside).toHaveLength(1)
  })
})

describe('going back', () => {
  it('takes back what is being tried, else changes current and previous', () => {
    const split = rollOut({ ...alone, previous: D }, B, rollout({ kind: 'split' }), moment).routing
    expect(rollBack(split).routing).toMatchObject({ current: A, previous: D, beside: [] })
    const switched = rollOut(alone, B, rollout(), moment).routing
    expect(rollBack(switched).routing).toMatchObject({ current: A, previous: B, watch: null })
    expect(rollBack(keep(switched)).routing).toMatchObject({ current: A, previous: B })
    expect(() => rollBack(alone)).toThrow('There is no previous release.')
  })

  it('leaves a release that failed nowhere', () => {
    const switched = rollOut(alone, B, rollout(), moment).routing
    expect(takeBack(switched, B)).toEqual(alone)
    const canary = rollOut(alone, B, rollout({ kind: 'canary' }), moment).routing
    expect(takeBack(canary, B)).toEqual(alone)
    expect(() => takeBack(alone, A)).toThrow('There is no previous release.')
  })

  it('after a crash takes back what was tried in this boot, and nothing else', () => {
    let routing = rollOut(alone, B, rollout(), moment).routing
    for (const [release, kind] of [
      [C, 'shadow'],
      [D, 'split'],
    ] as const) {
      routing = rollOut(routing, release, rollout({ kind }), moment).routing
    }
    expect(afterCrash(routing, 'boot 1')).toMatchObject({
      routing: { current: A, previous: null, watch: null, beside: [{ release: D }] },
      takenBack: [B, C],
    })
    expect(afterCrash(routing, 'boot 2')).toEqual({ routing, takenBack: [] })
    expect(afterCrash(keep(routing), 'boot 1').takenBack).toEqual([C])
  })

  it('goes back to the previous release also where that was on its way back as a canary', () => {
    const watched = rollOut(alone, B, rollout(), moment).routing
    const { routing } = rollOut(watched, A, rollout({ kind: 'canary' }), moment)
    expect(afterCrash(routing, 'boot 1')).toEqual({ routing: alone, takenBack: [B] })
  })
})

it('any changes leave a routing that its schema takes, with all shares within 100 %', () => {
  const release = fc.constantFrom(A, B, C, D, 'e'.repeat(16), 'f'.repeat(16))
  const kind = fc.constantFrom('switch', 'split', 'canary', 'shadow')
  const change = fc.oneof(
    fc.record({ do: fc.constant('roll-out' as const), release, kind, weight: fc.nat({ max: 100 }) }),
    fc.record({
      do: fc.constantFrom('weight', 'promote', 'withdraw', 'advance', 'take-back', 'rollback', 'keep'),
      release,
      weight: fc.nat({ max: 100 }),
    }),
  )
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      let routing: Routing = alone
      for (const one of changes) {
        try {
          routing = applied(routing, one)
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE', hint: expect.any(String) })
        }
        expect(routingSchema.safeParse(routing).error).toBeUndefined()
        const names = [routing.current, ...routing.beside.map((entry) => entry.release)]
        expect(new Set(names).size).toBe(names.length)
        expect(routing.previous).not.toBe(routing.current)
        expect(routing.beside.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(100)
      }
    }),
  )
})

function applied(routing: Routing, one: { do: string; release: string; weight: number; kind?: string }): Routing {
  switch (one.do) {
    case 'roll-out':
      return rollOut(routing, one.release, rollout({ kind: one.kind, weight: one.weight }), moment).routing
    case 'weight':
      return setWeight(routing, one.release, one.weight, moment).routing
    case 'promote':
      return promote(routing, one.release, moment).routing
    case 'withdraw':
      return withdraw(routing, one.release).routing
    case 'advance':
      return advance(routing, one.release, moment).routing
    case 'take-back':
      return takeBack(routing, one.release)
    case 'rollback':
      return rollBack(routing).routing
    default:
      return keep(routing)
  }
}
