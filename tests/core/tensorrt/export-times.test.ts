import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import '../../fuzz-seed.ts'
import { ExportTimesReader } from '../../../src/core/tensorrt/export-times.ts'
import { timedQueries, timeStepMs } from '../../../src/core/tensorrt/timed-queries.ts'
import { fixtureText } from './fixture-text.ts'

function readTimes(text: string, pieceLength = text.length || 1, most = 1000) {
  const reader = new ExportTimesReader(most)
  for (let at = 0; at < text.length; at += pieceLength) reader.read(text.slice(at, at + pieceLength))
  return reader.times
}

describe('ExportTimesReader', () => {
  it.each([
    ['times-7.1.json', 24],
    ['times-8.2.json', 24],
    ['times-8.5.json', 20],
  ])('reads %s, in pieces of any length', (name, queries) => {
    const text = fixtureText(name)
    const whole = readTimes(text)
    expect(whole).toMatchObject({ queries, unreadable: 0, leftOut: 0 })
    for (const length of [1, 7, 64, 1000]) expect(readTimes(text, length)).toEqual(whole)
    // The same queries in every version: 0.125 in, 10, 10.5 or 11 in the GPU, 0.0625 out.
    const skipped = 24 - queries
    for (let i = 0; i < queries; i++) {
      const query = i + skipped
      const computeMs = 10 + 0.5 * (query % 3)
      expect(whole.latencyMs[i]).toBeCloseTo(0.1875 + computeMs, 3)
      expect([whole.h2dMs[i], whole.computeMs[i], whole.d2hMs[i]]).toEqual([0.125, computeMs, 0.0625])
      expect(whole.startMs[i]).toBeCloseTo(0.25 + 12.5 * query, 2)
      expect(whole.endMs[i]).toBeGreaterThan(whole.startMs[i] as number)
    }
  })

  it('reads the same as JSON.parse does', () => {
    const text = fixtureText('times-8.5.json')
    const parsed = JSON.parse(text) as { latencyMs: number }[]
    expect([...readTimes(text).latencyMs]).toEqual(parsed.map(({ latencyMs }) => latencyMs))
    expect(readTimes(JSON.stringify(parsed))).toEqual(readTimes(text))
  })

  it('counts what it cannot read, and what is too much', () => {
    const record = '{ "startComputeMs" : 1, "endComputeMs" : 2, "computeMs" : 1, "latencyMs" : 1 }'
    const broken = [
      '{ "latencyMs" : 1 }',
      record.replace('"latencyMs" : 1', '"latencyMs" : nan'),
      record.replace('"computeMs" : 1', '"computeMs" : -1'),
      '{}',
    ]
    expect(readTimes(`[${[record, ...broken].join(',')}]`)).toMatchObject({ queries: 1, unreadable: 4 })
    expect(readTimes(`[${new Array(5).fill(record).join(',')}]`, 10, 3)).toMatchObject({ queries: 3, leftOut: 2 })
    expect(readTimes('[')).toMatchObject({ queries: 0, unreadable: 0 })
    expect(readTimes(`[{${'x'.repeat(100_000)}},${record}]`)).toMatchObject({ queries: 1, unreadable: 1 })
    // Without copies start and end are those of the GPU.
    const only = readTimes(record)
    expect([only.startMs[0], only.endMs[0], only.h2dMs[0]]).toEqual([1, 2, 0])
  })

  it('takes any text', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('{', '}', '"latencyMs" : 1', '"startComputeMs":', '1e400', ','))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const times = readTimes(pieces.join(''), 5)
        for (const value of times.latencyMs) expect(Number.isFinite(value)).toBe(true)
      }),
    )
  })
})

describe('timedQueries', () => {
  const recent = () => readTimes(fixtureText('times-8.5.json'))

  it('leaves out the warm-up that old versions list, and counts that of new ones', () => {
    for (const name of ['times-7.1.json', 'times-8.2.json', 'times-8.5.json']) {
      const timed = timedQueries(readTimes(fixtureText(name)), 4, { warmUpMs: 50, warmUpQueries: 0 })
      expect(timed, name).toMatchObject({ warmUpQueries: 4 })
      expect(timed?.latenciesMs, name).toHaveLength(20)
      expect(timed?.offsetsMs[0]).toBe(0)
      expect(timed?.offsetsMs[1]).toBeCloseTo(12.5, 2)
      // Query 23 is the last: 275 ms after query 4... and it takes 11.2 ms.
      expect(timed?.elapsedMs).toBeCloseTo(19 * 12.5 + 0.01 + 0.125 + 11 + 0.0625, 1)
    }
  })

  it('takes more queries for warm-up where there were too few, and keeps exactly as many as were asked for', () => {
    const more = timedQueries(recent(), 4, { warmUpMs: 50, warmUpQueries: 10 })
    expect(more).toMatchObject({ warmUpQueries: 10 })
    expect(more?.latenciesMs).toHaveLength(14)
    const last = timedQueries(recent(), 4, { warmUpMs: 50, warmUpQueries: 0, queries: 5 })
    expect(last).toMatchObject({ warmUpQueries: 19 })
    expect([...(last?.latenciesMs ?? [])]).toEqual([...recent().latencyMs.slice(-5)].map(Math.fround))
    expect(timedQueries(recent(), 4, { warmUpMs: 50, warmUpQueries: 24 })).toBeUndefined()
    expect(timedQueries(readTimes('[]'), 0, { warmUpMs: 0, warmUpQueries: 0 })).toBeUndefined()
  })

  it('gives offsets that never go back', () => {
    const record = (start: number) =>
      `{ "startH2dMs" : ${start}, "startComputeMs" : ${start}, "endD2hMs" : ${start + 1}, "computeMs" : 1, "latencyMs" : 1 }`
    const timed = timedQueries(readTimes([10.1, 10.2, 10.1, 10.4].map(record).join('\n')), 0, { warmUpMs: 0, warmUpQueries: 0 })
    expect([...(timed?.offsetsMs ?? [])].map((ms) => Math.round(ms * 1000))).toEqual([0, 100, 100, 300])
  })
})

it('knows the step of moments kept as 32-bit floats', () => {
  for (const atMs of [1.5, 3000, 60_000, 1_000_000]) {
    const float = Math.fround(atMs)
    const [view] = [new DataView(new ArrayBuffer(4))]
    view.setFloat32(0, float)
    view.setUint32(0, view.getUint32(0) + 1)
    expect(timeStepMs(float)).toBe(view.getFloat32(0) - float)
  }
})
