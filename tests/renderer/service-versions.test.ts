import { describe, expect, it } from 'vitest'
import type { LiveVersion, ServiceReport } from '../../src/contract/service-protocol.ts'
import {
  divergence,
  foundText,
  roleText,
  rollbackOf,
  versionRows,
  weightSummary,
} from '../../src/renderer/pages/deployments/versions/version-rows.ts'

type Stored = ServiceReport['versions'][number]

const id = (letter: string) => letter.repeat(16)
const stored = (letter: string, role: Stored['role'], day: number): Stored => ({
  release: id(letter),
  modelName: `model ${letter}`,
  modelSha256: letter.repeat(64),
  role,
  weight: role === 'current' ? 100 : 0,
  createdAt: `2026-01-0${day}T00:00:00.000Z`,
  failure: null,
})
const live = (letter: string, role: LiveVersion['role'], more: Partial<LiveVersion> = {}): LiveVersion => ({
  release: id(letter),
  modelName: `model ${letter}`,
  role,
  kind: null,
  weight: role === 'current' ? 100 : 0,
  runsOn: 'answering thread',
  workers: 0,
  requests: 0,
  errors: 0,
  latencyP50Ms: null,
  latencyP95Ms: null,
  latencyP99Ms: null,
  compared: null,
  differing: null,
  dropped: null,
  ...more,
})

describe('versionRows', () => {
  it('puts what serves first, then what is newest', () => {
    const versions = [
      stored('a', 'failed', 5),
      stored('b', 'previous', 1),
      stored('c', 'kept', 2),
      stored('d', 'kept', 4),
      stored('e', 'current', 3),
    ]
    expect(versionRows({ versions }, []).map(({ release }) => release[0])).toEqual(['e', 'b', 'd', 'c', 'a'])
  })

  it('believes the serving process where a report is from before the last switch', () => {
    const versions = [stored('a', 'current', 1), stored('b', 'beside', 2)]
    const rows = versionRows({ versions }, [live('b', 'current'), live('a', 'previous')])
    expect(rows.map(({ release, role }) => [release[0], role])).toEqual([
      ['b', 'current'],
      ['a', 'previous'],
    ])
    const gone = versionRows({ versions }, [live('b', 'current')])
    expect(gone.filter(({ role }) => role === 'current')).toHaveLength(1)
  })

  it('shows what the report does not know yet', () => {
    const [row] = versionRows(undefined, [live('a', 'current', { requests: 4 })])
    expect(row).toMatchObject({ release: id('a'), createdAt: null, role: 'current', live: { requests: 4 } })
  })
})

describe('weights', () => {
  it('are summed up where requests are divided', () => {
    expect(weightSummary([live('a', 'current')])).toBeNull()
    expect(weightSummary([live('a', 'current', { weight: 89.5 }), live('b', 'beside', { kind: 'split', weight: 10.5 })])).toBe(
      '89.5 / 10.5',
    )
    expect(weightSummary([live('a', 'current'), live('b', 'beside', { kind: 'shadow' })])).toBe('+ shadow')
    expect(
      weightSummary([
        live('a', 'current', { weight: 90 }),
        live('b', 'beside', { kind: 'canary', weight: 10 }),
        live('c', 'beside', { kind: 'shadow' }),
      ]),
    ).toBe('90 / 10 + shadow')
  })

  it('and roles are named', () => {
    expect(roleText({ role: 'beside', kind: 'canary' })).toBe('canary')
    expect(roleText({ role: 'kept', kind: null })).toBe('kept')
  })

  it('say how often answers differ, once something was compared', () => {
    expect(divergence(null)).toBeNull()
    expect(divergence(live('a', 'beside', { compared: 0, differing: 0 }))).toBeNull()
    expect(divergence(live('a', 'beside', { compared: 200, differing: 3 }))).toBe(0.015)
  })
})

describe('rollbackOf', () => {
  const rows = (...versions: LiveVersion[]) => versionRows(undefined, versions)

  it('takes away what is being tried without asking', () => {
    const rollback = rollbackOf(rows(live('a', 'current'), live('b', 'beside', { kind: 'split' }), live('c', 'previous')), false)
    expect(rollback).toMatchObject({ trying: true, text: expect.stringContaining('model a') })
  })

  it('says that what is watched goes back, too, while something else is tried beside it', () => {
    const rollback = rollbackOf(rows(live('a', 'current'), live('b', 'beside', { kind: 'shadow' }), live('c', 'previous')), true)
    expect(rollback).toMatchObject({
      trying: true,
      text: expect.stringMatching(/^model c .* serves again, .* beside it is taken away, too/),
    })
  })

  it('asks before a version that has served for a while is taken back', () => {
    const versions = rows(live('a', 'current'), live('c', 'previous'))
    expect(rollbackOf(versions, false)).toMatchObject({ trying: false, text: expect.stringMatching(/^model c .* serves again/) })
    expect(rollbackOf(versions, true)?.trying).toBe(true)
    expect(rollbackOf(rows(live('a', 'current')), false)).toBeNull()
  })
})

describe('foundText', () => {
  it('says in words what a version that is tried did', () => {
    expect(foundText({ live: live('b', 'beside') })).toBe('It has answered no request yet.')
    expect(foundText({ live: live('b', 'beside', { requests: 1, compared: 4, differing: 1, dropped: 2 }) })).toBe(
      '1 request answered, 0 failed, 1 of 4 compared answers differ (25%), 2 copies left out because its queue was full.',
    )
  })
})
