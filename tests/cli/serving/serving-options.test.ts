import { describe, expect, it } from 'vitest'
import { rolloutOf, rolloutOptions } from '../../../src/cli/serving/rollout-options.ts'
import { settingsChoices, settingsOptions } from '../../../src/cli/serving/service-options.ts'
import { rolloutSchema } from '../../../src/contract/routing.ts'

const noRollout = {
  weight: undefined,
  canary: false,
  steps: undefined,
  'step-seconds': undefined,
  shadow: false,
  'watch-seconds': undefined,
  'max-error-rate': undefined,
  'max-divergence': undefined,
  'min-requests': undefined,
}
const noSettings = {
  open: undefined,
  'api-key': [],
  'revoke-api-key': [],
  'rate-limit': undefined,
  'log-predictions': undefined,
  webhook: undefined,
  concurrency: undefined,
  'deadline-ms': undefined,
}
const usage = expect.objectContaining({ code: 'USAGE' })

describe('options of a roll-out', () => {
  it('are a watched switch without any', () => {
    expect(rolloutSchema.parse(rolloutOf(noRollout))).toEqual(rolloutSchema.parse(undefined))
    expect(rolloutSchema.parse(undefined)).toMatchObject({ kind: 'switch', watchSeconds: 60 })
  })

  it('make splits, canaries and shadows', () => {
    expect(rolloutOf({ ...noRollout, weight: 25 })).toMatchObject({ kind: 'split', weight: 25 })
    expect(rolloutOf({ ...noRollout, shadow: true })).toMatchObject({ kind: 'shadow' })
    const steps = rolloutOptions.steps.read('5,25.5,100')
    const canary = rolloutOf({ ...noRollout, canary: true, steps, 'step-seconds': 3, 'max-error-rate': 0.1, 'min-requests': 5 })
    expect(rolloutSchema.parse(canary)).toMatchObject({
      kind: 'canary',
      steps: [5, 25.5],
      stepSeconds: 3,
      limits: { maxErrorRate: 0.1, minRequests: 5, maxP95Ratio: 1.5 },
    })
  })

  it('refuse what contradicts itself', () => {
    expect(() => rolloutOf({ ...noRollout, canary: true, shadow: true })).toThrow(usage)
    expect(() => rolloutOf({ ...noRollout, weight: 5, canary: true })).toThrow(usage)
    expect(() => rolloutOf({ ...noRollout, steps: [5] })).toThrow(usage)
    expect(() => rolloutOf({ ...noRollout, canary: true, steps: [50, 10] })).toThrow(usage)
    expect(() => rolloutOptions.steps.read('5;10')).toThrow()
  })
})

describe('options of settings', () => {
  const existing = {
    settings: { apiKeys: [{ name: 'phone', sha256: 'ab'.repeat(32), rateLimit: null }] },
  } as unknown as Parameters<typeof settingsChoices>[1]

  it('leave alone what is not given', () => {
    expect(settingsChoices(noSettings, existing)).toEqual({})
  })

  it('add and revoke clients, keeping the others', () => {
    expect(settingsChoices({ ...noSettings, 'api-key': ['tablet', 'phone'] }, existing).apiKeys).toEqual([
      { name: 'phone' },
      { name: 'tablet' },
    ])
    expect(settingsChoices({ ...noSettings, 'revoke-api-key': ['phone'] }, existing).apiKeys).toEqual([])
    expect(() => settingsChoices({ ...noSettings, 'revoke-api-key': ['nobody'] }, existing)).toThrow(usage)
    expect(() => settingsChoices({ ...noSettings, 'api-key': ['no spaces'] }, undefined)).toThrow(usage)
  })

  it('set and take away', () => {
    expect(
      settingsChoices(
        { ...noSettings, open: 'pi.local, 192.0.2.7', 'rate-limit': 2.5, 'log-predictions': 0.1, webhook: 'https://example.org/x' },
        undefined,
      ),
    ).toMatchObject({
      network: { hosts: ['pi.local', '192.0.2.7'] },
      rateLimit: { requestsPerSecond: 2.5, burst: 5 },
      predictionLog: { share: 0.1 },
      retraining: { url: 'https://example.org/x' },
    })
    expect(settingsChoices({ ...noSettings, open: 'none', 'rate-limit': 0, 'log-predictions': 0, webhook: 'none' }, existing)).toEqual({
      network: null,
      rateLimit: null,
      predictionLog: null,
      retraining: null,
    })
    expect(() => settingsChoices({ ...noSettings, webhook: 'ftp://x' }, undefined)).toThrow(usage)
    expect(() => settingsChoices({ ...noSettings, open: 'http://pi' }, undefined)).toThrow(usage)
    expect(() => settingsOptions['log-predictions'].read('2')).toThrow()
  })
})
