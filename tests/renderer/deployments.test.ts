import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import type { ServiceLive } from '../../src/contract/service-protocol.ts'
import { type ServiceHistory, withLive } from '../../src/renderer/backend/service-readings.ts'
import { curlExample } from '../../src/renderer/pages/deployments/curl-example.ts'
import { deployFailure } from '../../src/renderer/pages/deployments/deploy-failure.ts'
import { type DriftFeature, driftLevel, worstFirst } from '../../src/renderer/pages/deployments/drift/drift-order.ts'
import { type LiveLine, newest, rateLines, readLines, requestsPerSecond } from '../../src/renderer/pages/deployments/live/live-lines.ts'
import { logLines } from '../../src/renderer/pages/deployments/log-line.ts'
import { predictedClass } from '../../src/renderer/pages/deployments/predicted-class.ts'
import { supervisionText } from '../../src/renderer/pages/deployments/service-state.ts'

describe('curlExample', () => {
  const url = 'http://127.0.0.1:4000'

  it('writes small inputs out, without their batch dimension', () => {
    const text = curlExample(url, [
      { name: 'x', type: 'float32', shape: ['batch', 2, 2] },
      { name: 'y', type: 'int64', shape: [1] },
    ])
    expect(text).toContain(`'{"inputs":{"x":[[0,0],[0,0]],"y":0}}'`)
  })

  it('takes large inputs, and those of unknown size, from a file', () => {
    expect(curlExample(url, [{ name: 'image', type: 'float32', shape: ['batch', 1, 28, 28] }])).toContain(
      '"image": nested lists of 1×28×28 float32',
    )
    expect(curlExample(url, [{ name: 'ids', type: 'int64', shape: ['batch', 'length'] }])).toContain('@sample.json')
    expect(curlExample(url, [{ name: 'any', type: 'float32', shape: null }])).toContain('@sample.json')
  })

  it('lets no name of a model out of its quotes', () => {
    const name = `a'; touch pwned; echo '\n$(id)`
    const text = curlExample(url, [{ name, type: 'float32', shape: [1, 1] }])
    const body = execFileSync('sh', ['-c', `printf %s ${text.slice(text.lastIndexOf(' -d ') + 4)}`]).toString()
    expect(JSON.parse(body)).toEqual({ inputs: { [name]: [0] } })
    const comment = curlExample(url, [{ name, type: 'float32', shape: [1, 99] }])
      .split('\n')
      .filter((line) => line.includes('pwned'))
    expect(comment).toHaveLength(1)
    expect(comment[0]).toMatch(/^# /)
  })
})

describe('predictedClass', () => {
  it('reads the answer of a classifier', () => {
    expect(predictedClass({ prediction: { class: 9, label: 'Ankle boot', confidence: 0.9 } })).toEqual({
      index: 9,
      label: 'Ankle boot',
      confidence: 0.9,
    })
    expect(predictedClass({ prediction: { class: 9, label: null } })).toEqual({ index: 9, label: null, confidence: null })
  })

  it('finds none in other answers', () => {
    for (const answer of [{ outputs: {} }, { prediction: null }, { prediction: 'boot' }, { error: 'x' }, null, 'text']) {
      expect(predictedClass(answer)).toBeNull()
    }
  })
})

describe('what a service measures', () => {
  const live = (at: number, counts: Partial<ServiceLive> = {}) =>
    ({ at: new Date(at).toISOString(), pid: 7, requests: 0, errors: 0, latencyP50Ms: null, ...counts }) as ServiceLive
  const readingsOf = (answers: readonly ServiceLive[]) =>
    answers.reduce<ServiceHistory | undefined>((history, answer) => withLive(history, answer), undefined)?.readings ?? []

  it('is kept for ten minutes, each moment once', () => {
    const same = readingsOf([live(1000, { requests: 1 }), live(1000, { requests: 2 })])
    expect(same.map(({ requests }) => requests)).toEqual([2])
    const many = readingsOf(Array.from({ length: 700 }, (_, second) => live(second * 1000)))
    expect(many).toHaveLength(600)
    expect(many.at(-1)?.atMs).toBe(699_000)
    // The clock of the device was set back.
    expect(readingsOf([live(9000), live(2000)])).toHaveLength(1)
  })

  it('is drawn as the growth of a counter, broken where the process is another one or nothing was read', () => {
    const readings = readingsOf([
      live(1000, { requests: 10 }),
      live(3000, { requests: 50 }),
      live(4000, { requests: 3, pid: 8 }),
      live(5000, { requests: 13, pid: 8 }),
      live(65_000, { requests: 20, pid: 8 }),
    ])
    const [line] = rateLines(readings, { requests: ({ requests }) => requests }).lines
    expect(line?.values).toEqual([20, Number.NaN, 10, Number.NaN])
    expect(requestsPerSecond(readings)).toBeNull()
    expect(requestsPerSecond(readings.slice(0, 2))).toBe(20)
    expect(requestsPerSecond(readings.slice(0, 1))).toBeNull()
  })

  it('is drawn as it was read, broken by gaps and by what is not known', () => {
    const readings = readingsOf([live(0), live(1000, { latencyP50Ms: 2 }), live(61_000, { latencyP50Ms: 3 })])
    const { atMs, lines } = readLines(readings, { p50: ({ latencyP50Ms }) => latencyP50Ms })
    expect(atMs).toEqual([0, 1000, 1000, 61_000])
    expect(lines).toEqual([{ label: 'p50', values: [Number.NaN, 2, Number.NaN, 3] }])
    expect(newest(lines[0] as LiveLine)).toBe(3)
  })
})

describe('drift', () => {
  const feature = (name: string, level: DriftFeature['level'], psi: number | null) =>
    ({ name, level, psi, psiLimit: psi === null ? null : 0.1, distance: null }) as DriftFeature

  it('is sorted by level, then by how near PSI is to its limit', () => {
    const features = [
      feature('new', null, null),
      feature('calm', 'none', 0.01),
      feature('near', 'none', 0.09),
      feature('severe', 'severe', 0.3),
      feature('drifted', 'drifted', 0.2),
    ]
    expect(worstFirst(features).map(({ name }) => name)).toEqual(['severe', 'drifted', 'near', 'calm', 'new'])
  })

  it('is summed up in a word', () => {
    const drift = (...features: DriftFeature[]) => ({ features }) as unknown as ServiceLive['drift']
    expect(driftLevel(null)).toBeNull()
    expect(driftLevel(drift(feature('a', null, null)))).toBe('collecting')
    expect(driftLevel(drift(feature('a', 'none', 0), feature('b', null, null)))).toBe('none')
    expect(driftLevel(drift(feature('a', 'none', 0), feature('b', 'drifted', 0.2)))).toBe('drifted')
    expect(driftLevel(drift(feature('a', 'severe', 1), feature('b', 'drifted', 0.2)))).toBe('severe')
  })
})

describe('a failed deployment', () => {
  it('says what was checked, whatever its details are', () => {
    const checks = [{ name: 'latency', passed: false, text: 'p95 12 ms, at most 10 ms' }]
    expect(deployFailure({ checks, log: 'out of memory' })).toEqual({ checks, log: 'out of memory' })
    for (const details of [undefined, null, 'x', { checks: 'none', log: 3 }, {}])
      expect(deployFailure(details)).toEqual({ checks: [], log: '' })
  })

  it('and a good one says what becomes of it after a reboot', () => {
    expect(supervisionText('user-unit', true)).toBe('systemd, user unit; comes back after a reboot')
    expect(supervisionText('process', false)).toContain('does not come back')
    expect(supervisionText(null, null)).toBe('not known')
  })
})

describe('logLines', () => {
  it('takes events apart and leaves other lines as they are', () => {
    const log = [
      '{"time":"2026-11-27T04:42:29.462Z","level":"info","event":"loaded","loadMs":184.5519730000001,"version":"1ad4","note":"two words"}',
      '{"time":"2026-11-27T04:44:45.847Z","level":"error","event":"supervisor","message":"ended"}',
      'Warning: printed by a library',
      '{"no": "event"}',
      '',
      '{broken',
    ].join('\n')
    expect(logLines(log)).toEqual([
      { at: '2026-11-27T04:42:29.462Z', level: 'info', event: 'loaded', text: 'loadMs=184.6 version=1ad4 note="two words"' },
      { at: '2026-11-27T04:44:45.847Z', level: 'error', event: 'supervisor', text: 'message=ended' },
      { at: null, level: 'info', event: '', text: 'Warning: printed by a library' },
      { at: null, level: 'info', event: '', text: '{"no": "event"}' },
      { at: null, level: 'info', event: '', text: '{broken' },
    ])
    expect(logLines('')).toEqual([])
  })
})
