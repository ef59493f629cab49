import { describe, expect, it } from 'vitest'
import { DeviceLog } from '../../../src/backend/devices/device-log.ts'

const AT = '2026-01-01T00:00:00.000Z'

describe('the log of a device', () => {
  it('numbers lines, answers those after a number, and keeps devices apart', () => {
    const log = new DeviceLog()
    log.add('a', AT, 'one')
    log.add('b', AT, 'other')
    log.add('a', AT, 'two')
    expect(log.after('a', 0)).toEqual([
      { number: 1, at: AT, text: 'one' },
      { number: 2, at: AT, text: 'two' },
    ])
    expect(log.after('a', 1).map(({ text }) => text)).toEqual(['two'])
    expect(log.after('b', 0).map(({ text }) => text)).toEqual(['other'])
    log.forget('a')
    expect(log.after('a', 0)).toEqual([])
  })

  it('keeps the last 2,000 lines of at most 2,000 characters', () => {
    const log = new DeviceLog()
    for (let line = 1; line <= 2500; line++) log.add('a', AT, `line ${line}`)
    const lines = log.after('a', 0)
    expect(lines).toHaveLength(2000)
    expect(lines[0]).toMatchObject({ number: 501, text: 'line 501' })
    log.add('a', AT, 'x'.repeat(10_000))
    expect(log.after('a', 2500)[0]?.text).toHaveLength(2000)
  })
})
