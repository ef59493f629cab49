import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AgentBundle } from '../../src/remote/agent-bundle.ts'
import { DeviceStore } from '../../src/remote/device-store.ts'
import type { SshChannels } from '../../src/remote/ssh-channels.ts'
import { connectSsh } from '../../src/remote/ssh-connect.ts'
import type { SshConnection } from '../../src/remote/ssh-connection.ts'
import { plainFile } from '../../src/remote/store-file.ts'
import { type HarnessedDevice, makeFile, startHarnessedDevice } from './device-harness.ts'
import { makeStandIn, recordingReporter } from './stand-in-agent.ts'

let harnessed: HarnessedDevice
let root: string
let connection: SshConnection
let store: DeviceStore
beforeAll(async () => {
  harnessed = await startHarnessedDevice()
  root = join(harnessed.device.home, '.edgesmith')
  connection = await connectSsh(harnessed.options())
  store = new DeviceStore(connection, root)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))
afterAll(async () => {
  connection.close()
  await harnessed.stop()
})

const runtimes = () => readdirSync(join(root, 'runtime')).sort()
const blob = (sha256: string) => join(root, 'blobs', sha256)
const days = (count: number) => new Date(Date.now() - count * 86_400_000)
const age = (path: string, count: number) => utimesSync(path, days(count), days(count))
let versions = 0

/** Another version of the agent, on the device. */
async function nextAgent(): Promise<AgentBundle> {
  harnessed.standIn.setVersion(`0.1.${++versions}`)
  const bundle = await harnessed.standIn.bundle('x64')
  await store.bringAgent(bundle, recordingReporter())
  return bundle
}

describe('old agents', () => {
  it('go with the files that only they had', async () => {
    const old = await nextAgent()
    const kept = await nextAgent()
    expect(runtimes()).toEqual([old.id, kept.id].sort())
    const pruned = await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toEqual([kept.id])
    expect(readdirSync(join(root, 'blobs')).sort()).toEqual(kept.files.map(({ sha256 }) => sha256).sort())
    const gone = old.files.filter(({ sha256 }) => !kept.files.some((file) => file.sha256 === sha256))
    expect(gone.map(({ name }) => name)).toEqual(['agent.cjs', 'manifest.sig', 'manifest.json'])
    expect(pruned).toEqual({ runtimes: 1, bytes: gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) })
    expect(await store.removeOldRuntimes(kept.id)).toEqual({ runtimes: 0, bytes: 0 })
  })

  it('stay while a program runs from them', async () => {
    const old = await nextAgent()
    const run = join(root, 'runtime', old.id)
    const agent = await connection.exec(`exec ${run}/node ${run}/agent.cjs run`)
    await new Promise((resolve) => agent.stdout.once('data', resolve))
    const kept = await nextAgent()
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toContain(old.id)
    for (const { sha256 } of old.files) expect(existsSync(blob(sha256))).toBe(true)
    agent.stdin.end()
    await agent.ended
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toEqual([kept.id])
  })

  it.each(['services/shop/runtime', 'services/old-shop/releases/v1/runtime', 'jobs/1234/runtime'])(
    'stay while %s names them, running or not',
    async (path) => {
      const old = await nextAgent()
      const kept = await nextAgent()
      mkdirSync(join(root, path, '..'), { recursive: true })
      writeFileSync(join(root, path), `${join(root, 'runtime', old.id)}\n`)
      harnessed.device.give(root)
      await store.removeOldRuntimes(kept.id)
      expect(runtimes()).toEqual([old.id, kept.id].sort())
      rmSync(join(root, path))
      await store.removeOldRuntimes(kept.id)
      expect(runtimes()).toEqual([kept.id])
    },
  )

  it('of another computer stay for a month after their last use', async () => {
    const folder = join(harnessed.device.folder, 'second-computer')
    mkdirSync(folder, { recursive: true })
    const theirs = await makeStandIn(folder).bundle('x64')
    const reporter = recordingReporter()
    await new DeviceStore(connection, root).bringAgent(theirs, reporter)
    expect(reporter.lines).toContain('The device trusts agents of this computer from now on')
    const mine = recordingReporter()
    harnessed.standIn.setVersion(`0.1.${++versions}`)
    const kept = await harnessed.standIn.bundle('x64')
    await store.bringAgent(kept, mine)
    expect(mine.lines).toContain('The device trusts agents of this computer from now on; it trusts 2 computers')
    const keys = readFileSync(join(root, 'trusted-keys'), 'utf8').split('\n')
    expect(keys).toContain(theirs.publicKey)
    expect(keys).toContain(kept.publicKey)

    age(join(root, 'runtime', theirs.id), 29)
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toContain(theirs.id)
    age(join(root, 'runtime', theirs.id), 31)
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toEqual([kept.id])
  })

  it('that are being put together by somebody else stay', async () => {
    const kept = await nextAgent()
    const half = join(root, 'runtime', 'half')
    mkdirSync(half)
    harnessed.device.give(half)
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toContain('half')
    age(half, 1)
    await store.removeOldRuntimes(kept.id)
    expect(runtimes()).toEqual([kept.id])
  })

  it('of which a file vanishes before they are put together are brought again', async () => {
    const bundle = await harnessed.standIn.bundle('x64')
    await store.bringAgent(bundle, recordingReporter())
    const node = bundle.files.find(({ name }) => name === 'node') ?? expect.fail('no node')
    rmSync(join(root, 'runtime'), { recursive: true })
    let scripts = 0
    const channels: SshChannels = {
      place: connection.place,
      exec: (command, urgent) => {
        // The first looks what is there, the second puts it together: another computer clears up between them.
        if (++scripts === 2) rmSync(blob(node.sha256))
        return connection.exec(command, urgent)
      },
      connectPort: (port) => connection.connectPort(port),
      lost: () => connection.lost(),
    }
    const { sent } = await new DeviceStore(channels, root).bringAgent(bundle, recordingReporter())
    expect(sent.hashes).toEqual([node.sha256])
    expect(existsSync(join(root, 'runtime', bundle.id, 'manifest.json'))).toBe(true)
  })
})

describe('models and datasets on the device', () => {
  const bring = async (name: string, bytes = 1000) => {
    const file = makeFile(join(harnessed.device.folder, name), randomBytes(bytes))
    await store.bring([plainFile(file)], recordingReporter())
    return file.sha256
  }

  it('stay for a month after their last use', async () => {
    const { id } = await nextAgent()
    const [fresh, aged, stale, served] = [await bring('a'), await bring('b'), await bring('c'), await bring('d')]
    const servedByOld = await bring('served-by-old')
    age(blob(aged), 29)
    age(blob(stale), 31)
    for (const sha256 of [served, servedByOld]) age(blob(sha256), 31)
    const release = join(root, 'services', 'shop', 'releases', 'v1')
    mkdirSync(release, { recursive: true })
    writeFileSync(join(release, 'release.json'), JSON.stringify({ modelPath: blob(served) }))
    // As versions before 4 wrote it.
    writeFileSync(join(release, 'config.json'), JSON.stringify({ modelPath: blob(servedByOld) }))
    harnessed.device.give(join(root, 'services'))
    await store.removeOldRuntimes(id)
    expect([fresh, aged, stale, served, servedByOld].map((sha256) => existsSync(blob(sha256)))).toEqual([true, true, false, true, true])
  })

  it('count as used when they are asked for', async () => {
    const { id } = await nextAgent()
    const file = makeFile(join(harnessed.device.folder, 'used'), randomBytes(1000))
    await store.bring([plainFile(file)], recordingReporter())
    age(blob(file.sha256), 31)
    expect(await store.bring([plainFile(file)], recordingReporter())).toMatchObject({ files: 0 })
    expect(Date.now() - statSync(blob(file.sha256)).mtimeMs).toBeLessThan(86_400_000)
    await store.removeOldRuntimes(id)
    expect(existsSync(blob(file.sha256))).toBe(true)
  })

  it('beyond 2 GB go, those used longest ago first, but not what was used today', async () => {
    const { id } = await nextAgent()
    const [today, recent, older, oldest] = [await bring('e'), await bring('f'), await bring('g'), await bring('h')]
    // Sparse: they take no room.
    for (const sha256 of [today, recent, older, oldest]) truncateSync(blob(sha256), 900_000_000)
    age(blob(recent), 2)
    age(blob(older), 3)
    age(blob(oldest), 4)
    await store.removeOldRuntimes(id)
    expect([today, recent, older, oldest].map((sha256) => existsSync(blob(sha256)))).toEqual([true, true, false, false])
    const big = [await bring('i'), await bring('j'), await bring('k')]
    for (const sha256 of big) truncateSync(blob(sha256), 900_000_000)
    await store.removeOldRuntimes(id)
    expect(big.map((sha256) => existsSync(blob(sha256)))).toEqual([true, true, true])
  })
})
