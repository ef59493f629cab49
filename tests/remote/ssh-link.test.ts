import { describe, expect, it } from 'vitest'
import { EdgesmithError, type ErrorCode } from '../../src/contract/errors.ts'
import type { LinkReport } from '../../src/remote/link-report.ts'
import type { RunningProcess } from '../../src/remote/running-process.ts'
import { SshLink, type SshLinkOptions } from '../../src/remote/ssh-link.ts'

type Connection = Awaited<ReturnType<SshLinkOptions['connect']>>

/** A connection that a test can break, and what commands come to on it. */
function fakeConnection(name: string): Connection & { breakIt(): void } {
  let closed = false
  let settle = () => {}
  const onClose = new Promise<void>((resolve) => {
    settle = resolve
  })
  const lost = () => new EdgesmithError('CONNECTION_LOST', `${name} broke`)
  const breakIt = () => {
    closed = true
    settle()
  }
  return {
    place: 'board:22',
    hostKey: { fingerprint: 'SHA256:x', type: 'ssh-ed25519', acceptedBy: 'confirmed' } as unknown as Connection['hostKey'],
    get closed() {
      return closed
    },
    closeReason: 'no answer',
    onClose,
    exec: async () => {
      if (closed) throw lost()
      return name as unknown as RunningProcess
    },
    connectPort: async () => {
      throw new EdgesmithError('SERVICE_NOT_RUNNING', 'nobody')
    },
    lost,
    close: breakIt,
    breakIt,
  }
}

/** A link over a list of outcomes; time passes as soon as the link waits, and is noted. */
async function startLink(outcomes: (string | ErrorCode)[], changes: Partial<SshLinkOptions> = {}) {
  const made: ReturnType<typeof fakeConnection>[] = []
  const reports: LinkReport[] = []
  const log: string[] = []
  const pauses: number[] = []
  let nowMs = 0
  let attempts = 0
  const link = await SshLink.open({
    connect: async () => {
      const outcome = outcomes[Math.min(attempts++, outcomes.length - 1)] ?? ''
      if (/^[A-Z_]+$/.test(outcome)) throw new EdgesmithError(outcome as ErrorCode, `refused with ${outcome}`)
      const connection = fakeConnection(outcome)
      made.push(connection)
      return connection
    },
    onLink: (report) => reports.push(report),
    onLog: (text) => log.push(text),
    clock: {
      nowMs: () => nowMs,
      wait: async (ms, _stay, signal) => {
        pauses.push(ms)
        await new Promise((resolve) => setImmediate(resolve))
        if (signal.aborted) throw new Error('woken')
        nowMs += ms
      },
    },
    ...changes,
  })
  const settled = async (isSo: () => boolean) => {
    for (let turn = 0; turn < 1000; turn++) {
      if (isSo()) return
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect.fail('never happened')
  }
  return { link, made, reports, log, pauses, settled, attempts: () => attempts }
}

const states = (reports: readonly LinkReport[]) => reports.map(({ state }) => state)

describe('a link', () => {
  it('is opened again after 1, 2, 4, … seconds, and says so', async () => {
    const { link, made, reports, log, pauses, settled } = await startLink(['first', ...new Array(7).fill('DEVICE_UNREACHABLE'), 'second'])
    expect(String(await link.exec('true'))).toBe('first')
    made[0]?.breakIt()
    await settled(() => !link.up)
    await settled(() => link.up)
    expect(String(await link.exec('true'))).toBe('second')
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 30_000])
    expect(states(reports).slice(0, 4)).toEqual(['connecting', 'ready', 'reconnecting', 'reconnecting'])
    expect(reports[2]).toEqual({ state: 'reconnecting', attempts: 0, nextAttemptAt: new Date(1000).toISOString(), error: null })
    expect(reports.at(-1)).toEqual({ state: 'ready', attempts: 0, nextAttemptAt: null, error: null })
    expect(log).toContain('Link lost: no answer')
    expect(log).toContain('Trying again in 4 s')
    expect(log.at(-1)).toBe('Connected again after 120 s')
    expect(link.closed).toBe(false)
  })

  it('is given up after five minutes when nothing waits for it, after fifteen when something does; the next use tries again', async () => {
    const idle = await startLink(['first', ...new Array(14).fill('DEVICE_UNREACHABLE'), 'second'])
    idle.made[0]?.breakIt()
    await idle.settled(() => idle.link.closed)
    expect(idle.reports.at(-1)).toMatchObject({ state: 'failed', error: { code: 'DEVICE_UNREACHABLE' } })
    expect(idle.pauses.reduce((sum, ms) => sum + ms)).toBe(300_000)
    await expect(idle.link.impatient.exec('true')).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    const busy = await startLink(['first', 'DEVICE_UNREACHABLE'])
    busy.made[0]?.breakIt()
    await busy.settled(() => !busy.link.up)
    await expect(busy.link.exec('true')).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    const waitedMs = busy.pauses.reduce((sum, ms) => sum + ms)
    expect(waitedMs).toBeGreaterThanOrEqual(900_000)
    expect(waitedMs).toBeLessThanOrEqual(930_000)
    expect(busy.link.closed).toBe(true)
    const later = await startLink(['first', ...new Array(14).fill('DEVICE_UNREACHABLE'), 'second'], { idleGiveUpAfterMs: 1 })
    later.made[0]?.breakIt()
    await later.settled(() => later.link.closed)
    expect(String(await later.link.exec('true'))).toBe('second')
    expect(later.link.closed).toBe(false)
  })

  it.each(['DEVICE_AUTH_FAILED', 'HOST_KEY_CHANGED', 'KEY_UNREADABLE', 'QUESTION_UNANSWERED'] as const)(
    'ends at once with what trying again cannot mend: %s',
    async (code) => {
      const { link, made, reports, attempts, settled } = await startLink(['first', code])
      made[0]?.breakIt()
      await settled(() => !link.up)
      await expect(link.exec('true')).rejects.toMatchObject({ code })
      expect(attempts()).toBe(2)
      expect(reports.at(-1)).toMatchObject({ state: 'failed', error: { code } })
    },
  )

  it('tells those who do not wait long after one attempt, and goes on trying', async () => {
    const { link, made, settled } = await startLink(['first', 'DEVICE_UNREACHABLE', 'second'])
    made[0]?.breakIt()
    await settled(() => !link.up)
    await expect(link.impatient.exec('true')).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    await settled(() => link.up)
    expect(String(await link.impatient.exec('true'))).toBe('second')
  })

  it('does again what a break ended, and stops waiting when the job is cancelled', async () => {
    const { link, made } = await startLink(['first', 'second', 'DEVICE_UNREACHABLE'])
    let calls = 0
    let breaks = 0
    const work = async () => {
      const where = String(await link.exec('true'))
      if (++calls === 1) {
        made[0]?.breakIt()
        throw made[0]?.lost()
      }
      return where
    }
    expect(await link.persist(work, undefined, () => breaks++)).toBe('second')
    expect([calls, breaks]).toEqual([2, 1])
    made[1]?.breakIt()
    const abort = new AbortController()
    const waiting = link.ready(abort.signal)
    abort.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await expect(link.persist(async () => Promise.reject(new EdgesmithError('DEVICE_NO_SPACE', 'full')))).rejects.toMatchObject({
      code: expect.stringMatching(/DEVICE_NO_SPACE|CONNECTION_LOST/),
    })
  })

  it('says how opening it failed, and lets waiters go when it is closed', async () => {
    const reports: LinkReport[] = []
    const connect = () => Promise.reject(new EdgesmithError('DEVICE_UNREACHABLE', 'no route'))
    await expect(SshLink.open({ connect, onLink: (report) => reports.push(report) })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE' })
    expect(reports.map(({ state, error }) => [state, error?.code])).toEqual([
      ['connecting', undefined],
      ['failed', 'DEVICE_UNREACHABLE'],
    ])
    const { link, made, settled } = await startLink(['first', 'DEVICE_UNREACHABLE'])
    made[0]?.breakIt()
    await settled(() => !link.up)
    const waiting = link.exec('true')
    link.close()
    await expect(waiting).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await expect(link.exec('true')).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    expect(link.closed).toBe(true)
  })
})
