import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decideSettings } from '../../../src/backend/serving/service-settings.ts'
import { serviceSettingsSchema } from '../../../src/contract/service.ts'

const where = { service: 'digits', port: null }
const decide = (choices: Parameters<typeof decideSettings>[1], before: Parameters<typeof decideSettings>[0] = null) =>
  decideSettings(before, choices, where)
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

describe('settings of a service', () => {
  it('are loopback on a free port, without clients, logs and webhooks, where nothing is chosen', () => {
    expect(decide({})).toEqual({
      settings: serviceSettingsSchema.parse({ service: 'digits', host: '127.0.0.1', port: 0 }),
      webhookSecret: null,
      made: { apiKeys: [], webhookSecret: null },
    })
    expect(decideSettings(null, {}, { service: 'digits', port: 4000 }).settings.port).toBe(4000)
  })

  it('keep what was chosen before, and lose what is taken away', () => {
    const before = decide({
      network: { hosts: ['pi.local'] },
      rateLimit: { requestsPerSecond: 5, burst: 10 },
      predictionLog: { share: 0.5, days: 3, bytes: 2 ** 25 },
      concurrency: 7,
      deadlineMs: 900,
      accessLogShare: 0.1,
    }).settings
    expect(before.host).toBe('0.0.0.0')
    expect(decide({}, before).settings).toEqual({ ...before, port: 0 })
    const closed = decide({ network: null, rateLimit: null, predictionLog: null }, before).settings
    expect(closed).toMatchObject({
      host: '127.0.0.1',
      network: null,
      rateLimit: null,
      predictionLog: null,
      concurrency: 7,
      deadlineMs: 900,
    })
  })

  it('hold keys only as hashes; new ones without a key get one that is answered once', () => {
    const given = 'a-key-of-my-own-choice'
    const first = decide({ apiKeys: [{ name: 'phone', key: given }, { name: 'tablet' }] })
    const [made] = first.made.apiKeys
    expect(first.made.apiKeys.map(({ name }) => name)).toEqual(['tablet'])
    expect(made?.key).toMatch(/^[\w-]{43}$/)
    expect(first.settings.apiKeys).toEqual([
      { name: 'phone', sha256: sha256(given), rateLimit: null },
      { name: 'tablet', sha256: sha256(made?.key ?? ''), rateLimit: null },
    ])
    expect(JSON.stringify(first.settings)).not.toContain(given)

    const limited = decide({ apiKeys: [{ name: 'phone', rateLimit: { requestsPerSecond: 1, burst: 1 } }] }, first.settings)
    expect(limited.made.apiKeys).toEqual([])
    expect(limited.settings.apiKeys).toEqual([{ name: 'phone', sha256: sha256(given), rateLimit: { requestsPerSecond: 1, burst: 1 } }])
    expect(decide({}, limited.settings).settings.apiKeys).toEqual(limited.settings.apiKeys)
    expect(() => decide({ apiKeys: [{ name: 'x' }, { name: 'x' }] })).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('hold no secret of the webhook; it is made once, and kept where the service has one', () => {
    const url = 'https://example.org/retrain'
    const first = decide({ retraining: { url, coolDownHours: 24 } })
    expect(first.webhookSecret).toMatch(/^[\w-]{43}$/)
    expect(first.made.webhookSecret).toBe(first.webhookSecret)
    expect(JSON.stringify(first.settings)).not.toContain(first.webhookSecret)
    const again = decide({ retraining: { url: 'https://example.org/other', coolDownHours: 1 } }, first.settings)
    expect([again.webhookSecret, again.made.webhookSecret, again.settings.retraining]).toEqual([
      null,
      null,
      { url: 'https://example.org/other', coolDownHours: 1 },
    ])
    const secret = 'a-secret-of-my-own'
    const given = decide({ retraining: { url, coolDownHours: 24, secret } }, first.settings)
    expect([given.webhookSecret, given.made.webhookSecret]).toEqual([secret, null])
    expect(decide({ retraining: null }, first.settings).settings.retraining).toBeNull()
  })

  it.each([
    ['one address of a network, which no tunnel reaches', { host: '192.168.1.5', network: { hosts: ['a'] } }],
    ['all addresses without names', { host: '0.0.0.0' }],
  ])('refuse %s', (_what, choices) => {
    expect(() => decide(choices)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
