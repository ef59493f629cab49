import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LocalServicePlace } from '../../src/remote/local-service-place.ts'
import { withServiceLock } from '../../src/remote/service-lock.ts'
import type { ServicePlace } from '../../src/remote/service-place.ts'
import { connectSsh } from '../../src/remote/ssh-connect.ts'
import { SshServicePlace } from '../../src/remote/ssh-service-place.ts'
import { type HarnessedDevice, startHarnessedDevice } from './device-harness.ts'

describe.each(['ssh', 'local'] as const)('the lock of a service (%s)', (kind) => {
  let harnessed: HarnessedDevice | null = null
  let root: string
  let place: ServicePlace
  let close: () => Promise<void>
  beforeAll(async () => {
    if (kind === 'ssh') {
      const device = await startHarnessedDevice()
      harnessed = device
      const connection = await connectSsh(device.options())
      root = join(device.device.home, '.edgesmith')
      place = new SshServicePlace(connection, root)
      close = async () => {
        connection.close()
        await device.stop()
      }
    } else {
      const folder = mkdtempSync(join(tmpdir(), 'edgesmith-lock-'))
      root = join(folder, 'root')
      place = new LocalServicePlace(root, process.execPath)
      close = async () => rmSync(folder, { recursive: true, force: true })
    }
  })
  afterAll(() => close())

  const lockFolder = () => join(root, 'services', 'digits', 'lock')
  beforeEach(() => rmSync(lockFolder(), { recursive: true, force: true }))

  function lockedBy(owner: string, ageSeconds = 0): void {
    mkdirSync(lockFolder(), { recursive: true })
    writeFileSync(join(lockFolder(), 'owner'), `${owner}\n`)
    const then = new Date(Date.now() - ageSeconds * 1000)
    utimesSync(lockFolder(), then, then)
    harnessed?.device.give(root)
  }
  const work = () => withServiceLock(place, 'digits', async () => readFileSync(join(lockFolder(), 'owner'), 'utf8').trim())
  const thisHost = hostname().replace(/[^\w.-]+/g, '-')

  it('names its holder while it is held, and goes afterwards', async () => {
    expect(await work()).toMatch(new RegExp(`^${thisHost} ${process.pid} [0-9a-f]{12}$`))
    expect(() => readFileSync(join(lockFolder(), 'owner'))).toThrow('ENOENT')
  })

  it('goes when the work fails', async () => {
    const failing = withServiceLock(place, 'digits', () => Promise.reject(new Error('out of luck')))
    await expect(failing).rejects.toThrow('out of luck')
    expect(await work()).toContain(String(process.pid))
  })

  it('keeps out another computer, and says which and since when', async () => {
    lockedBy('laptop-of-ann 4242 0123456789ab', 75)
    await expect(work()).rejects.toMatchObject({ code: 'DEVICE_BUSY', message: expect.stringContaining('laptop-of-ann') })
    const error = await work().catch((caught: { details: { ageSeconds: number } }) => caught)
    expect(error).toMatchObject({ details: { owner: 'laptop-of-ann 4242 0123456789ab' } })
    expect((error as { details: { ageSeconds: number } }).details.ageSeconds).toBeGreaterThanOrEqual(75)
  })

  it('keeps out another process of this computer as long as it runs', async () => {
    lockedBy(`${thisHost} ${process.ppid} 0123456789ab`)
    await expect(work()).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
  })

  it.each([
    ['a process of this computer that is gone', () => `${thisHost} 4194304 0123456789ab`, 0],
    ['an earlier attempt of this process', () => `${thisHost} ${process.pid} 0123456789ab`, 0],
    ['another computer, long ago', () => 'laptop-of-ann 4242 0123456789ab', 700],
    ['nobody, long ago', () => '', 700],
  ])('is taken over from %s', async (_what, owner, ageSeconds) => {
    lockedBy(owner(), ageSeconds)
    expect(await work()).toContain(` ${process.pid} `)
  })

  it('is taken over by one only', async () => {
    lockedBy('laptop-of-ann 4242 0123456789ab', 700)
    let inside = 0
    let most = 0
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () =>
        withServiceLock(place, 'digits', async () => {
          inside++
          most = Math.max(most, inside)
          await new Promise((resolve) => setTimeout(resolve, 50))
          inside--
        }),
      ),
    )
    expect(most).toBe(1)
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'DEVICE_BUSY' })
  })
})
