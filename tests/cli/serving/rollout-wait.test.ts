import { describe, expect, it } from 'vitest'
import type { CommandContext } from '../../../src/cli/command.ts'
import { Interruption } from '../../../src/cli/interruption.ts'
import { awaitRollout } from '../../../src/cli/serving/rollout-wait.ts'
import type { Deployed } from '../../../src/contract/deployment.ts'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import type { ServiceLive, ServiceReport } from '../../../src/contract/service-protocol.ts'

const release = '0123456789abcdef'
const deployed = { id: 'the-id', service: 'digits', release } as Deployed
type Version = ServiceReport['versions'][number]

/** A service that is watched once, then decided. @param seen what `deployments.live` answers, one after the other */
function context(
  seen: readonly (Partial<ServiceLive> | EdgesmithError)[],
  version: Partial<Version> | null,
): { context: CommandContext; notes: string[]; interruption: Interruption } {
  const [notes, answers]: [string[], (Partial<ServiceLive> | EdgesmithError)[]] = [[], [...seen]]
  const call = async (name: string) => {
    if (name === 'deployments.report')
      return { versions: version ? [{ release, modelName: 'm', weight: 0, failure: null, ...version }] : [] }
    const next = answers.shift()
    if (next instanceof EdgesmithError) throw next
    return { watch: null, canary: null, ...next }
  }
  const interruption = new Interruption()
  const made = { backend: async () => ({ call }), terminal: { note: (text: string) => notes.push(text) }, interruption }
  return { context: made as unknown as CommandContext, notes, interruption }
}

describe('waiting for a roll-out', () => {
  it('ends when the watch is over, also after a moment without an answer', async () => {
    const silent = new EdgesmithError('SERVICE_NOT_RUNNING', 'nobody answers')
    const { context: of, notes } = context([{ watch: { release, secondsLeft: 3, found: '' } }, silent, {}], { role: 'current' })
    expect(await awaitRollout(of, deployed)).toMatchObject({
      document: { outcome: 'kept', reason: null },
      text: expect.stringContaining('was kept'),
    })
    expect(notes).toEqual(['Watching the new release'])
  })

  it('says what a canary that nobody asks waits for, and how to decide by hand', async () => {
    const canary = { release, step: 0, steps: [10, 50], secondsLeft: 0, waitingFor: '47 more of 50 requests', found: '' }
    const { context: of, notes } = context([{ canary }, { canary }, { canary }, {}], { role: 'current' })
    let nowMs = 0
    await awaitRollout(of, deployed, () => (nowMs += 40_000), 1)
    expect(notes).toEqual([
      'Canary at 10 %',
      'Canary at 10 %: waits for 47 more of 50 requests. By hand: edgesmith promote digits 01234567, or edgesmith withdraw digits 01234567',
    ])
  })

  it('fails with what was seen when the release was taken back', async () => {
    const failure = {
      at: '2026-01-01T00:00:00.000Z',
      reason: 'too many errors',
      checks: [{ name: 'rollout' as const, passed: false, text: '12 % of its requests failed, at most 1 %' }],
      log: 'last words\n',
    }
    const outcome = await awaitRollout(context([{}], { role: 'failed', failure }).context, deployed)
    expect(outcome.document).toEqual({ outcome: 'taken back', reason: 'too many errors' })
    expect(outcome.failure).toMatchObject({ code: 'DEPLOY_FAILED', details: { checks: failure.checks } })
    expect(outcome.text).toMatch(/FAILED {2}rollout: 12 %.*\| last words/s)
  })

  it('does not wait for a split', async () => {
    expect(await awaitRollout(context([{}], { role: 'beside', weight: 10 }).context, deployed)).toMatchObject({
      document: { outcome: 'beside' },
    })
  })

  it('fails without losing what was deployed when Ctrl+C or an error ends the waiting', async () => {
    const watched = context([{ watch: { release, secondsLeft: 3, found: '' } }], { role: 'current' })
    const waiting = awaitRollout(watched.context, deployed)
    await expect.poll(() => watched.notes).toEqual(['Watching the new release'])
    expect(watched.interruption.interrupt()).toBe(true)
    expect(await waiting).toMatchObject({
      document: { outcome: 'not known' },
      text: `The roll-out of ${release} goes on by itself.`,
      failure: { code: 'JOB_CANCELLED', hint: 'edgesmith status digits shows how it ends.' },
    })
    expect(watched.interruption.interrupt()).toBe(false)
    const lost = new EdgesmithError('CONNECTION_LOST', 'gone')
    expect(await awaitRollout(context([lost], null).context, deployed)).toMatchObject({
      document: { outcome: 'not known', reason: 'gone' },
      failure: { code: 'CONNECTION_LOST', message: 'gone' },
    })
  })
})
