import { afterEach, describe, expect, it, vi } from 'vitest'
import type { DeviceLink, DeviceLogLine } from '../../src/contract/device-link.ts'
import { fetchLinks, linksKey, receiveLink, withLinks } from '../../src/renderer/backend/device-link-cache.ts'
import { makeQueryClient } from '../../src/renderer/backend/query-client.ts'
import { withNewLines } from '../../src/renderer/backend/use-device-log.ts'

function link(deviceId: string, state: DeviceLink['state']): DeviceLink {
  return { deviceId, state, since: '2026-03-12T14:00:00.000Z', attempts: 0, nextAttemptAt: null, error: null }
}

describe('device links', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('are replaced by newer ones, and added where a device is new', () => {
    expect(withLinks([link('a', 'idle'), link('b', 'ready')], [link('a', 'connecting'), link('c', 'idle')])).toEqual([
      link('a', 'connecting'),
      link('b', 'ready'),
      link('c', 'idle'),
    ])
  })

  it('do not lose an event that came while the list was being fetched', async () => {
    let answer: (value: unknown) => void = () => {}
    const pending = new Promise((resolve) => {
      answer = resolve
    })
    vi.stubGlobal('window', { edgesmith: { call: () => pending } })
    const client = makeQueryClient()
    const fetching = fetchLinks()
    receiveLink(client, link('a', 'ready'))
    answer({ ok: true, output: [link('a', 'connecting'), link('b', 'idle')] })
    expect(await fetching).toEqual([link('a', 'ready'), link('b', 'idle')])
    // Nothing was shown yet, so nothing was put there.
    expect(client.getQueryData(linksKey)).toBeUndefined()
  })

  it('take events into the list that is shown', () => {
    const client = makeQueryClient()
    client.setQueryData(linksKey, [link('a', 'connecting')])
    receiveLink(client, link('a', 'failed'))
    expect(client.getQueryData(linksKey)).toEqual([link('a', 'failed')])
  })
})

describe('withNewLines', () => {
  const line = (number: number): DeviceLogLine => ({ number, at: '2026-03-12T14:00:00.000Z', text: `line ${number}` })

  it('adds what is newer, once, and is the same where nothing came', () => {
    const lines = [line(1), line(2)]
    expect(withNewLines(lines, [])).toBe(lines)
    expect(withNewLines(lines, [line(2)])).toBe(lines)
    expect(withNewLines(lines, [line(2), line(3)]).map(({ number }) => number)).toEqual([1, 2, 3])
  })

  it('keeps the last two thousand', () => {
    const many = Array.from({ length: 2500 }, (_, index) => line(index + 1))
    const kept = withNewLines([], many)
    expect([kept.length, kept[0]?.number, kept.at(-1)?.number]).toEqual([2000, 501, 2500])
  })
})
