import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { docsFiles } from '../../src/contract/docs-files.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'
import { type AgentBundle, ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import { DeviceStore } from '../../src/remote/device-store.ts'
import { presenceScript } from '../../src/remote/device-store-scripts.ts'
import { runScript } from '../../src/remote/remote-script.ts'
import type { SshChannels } from '../../src/remote/ssh-channels.ts'
import { connectSsh } from '../../src/remote/ssh-connect.ts'
import type { SshConnection } from '../../src/remote/ssh-connection.ts'
import { bundledFile, plainFile, type StoreFile } from '../../src/remote/store-file.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { type CutProxy, startCutProxy } from '../devices/cut-proxy.ts'
import { listProcesses } from '../devices/device-processes.ts'
import { eventually, type HarnessedDevice, makeFile, startHarnessedDevice } from './device-harness.ts'
import { type RecordingReporter, recordingReporter } from './stand-in-agent.ts'

let harnessed: HarnessedDevice
let root: string
let folder: string
beforeAll(async () => {
  harnessed = await startHarnessedDevice()
  root = join(harnessed.device.home, '.edgesmith')
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-resume-'))
  chmodSync(folder, 0o755)
})
afterEach(async () => {
  for (const link of links.splice(0)) await link.stop()
  rmSync(root, { recursive: true, force: true })
})
afterAll(async () => {
  await harnessed.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** The window of an SSH channel (2 MiB), a chunk that was not whole, two handshakes, and questions. */
const MOST_ON_THE_WAY = 4_000_000

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')
const listed = (name: string) => (existsSync(join(root, name)) ? readdirSync(join(root, name)) : [])
const chunksKept = () =>
  listed('parts').flatMap((key) => readdirSync(join(root, 'parts', key)).map((name) => join(root, 'parts', key, name)))

/** A store whose connection goes through a proxy and can be made again, as a link does after it broke. */
interface Link {
  readonly store: DeviceStore
  readonly proxy: CutProxy
  reconnect(): Promise<void>
  stop(): Promise<void>
}
const links: Link[] = []

async function openLink(to: HarnessedDevice = harnessed): Promise<Link> {
  const proxy = await startCutProxy(to.device.port)
  const connect = () => connectSsh(to.options({ port: proxy.port }))
  let connection: SshConnection = await connect()
  const channels: SshChannels = {
    place: connection.place,
    exec: (command, urgent) => connection.exec(command, urgent),
    connectPort: (port) => connection.connectPort(port),
    lost: () => connection.lost(),
  }
  const link: Link = {
    proxy,
    store: new DeviceStore(channels, join(to.device.home, '.edgesmith')),
    reconnect: async () => {
      proxy.cutAfter(Number.POSITIVE_INFINITY)
      connection = await connect()
    },
    stop: async () => {
      connection.close()
      await proxy.stop()
    },
  }
  links.push(link)
  return link
}

/** Has a hook called with every step of the sending. */
function watching(onSent: (done: number) => void): RecordingReporter {
  const reporter = recordingReporter()
  return {
    ...reporter,
    progress: (step) => {
      reporter.progress(step)
      if (step.phase.startsWith('sending to the device')) onSent(step.done)
    },
  }
}

/** The shell that receives an upload, as the device sees it. */
function receivingShells(): number[] {
  return listProcesses()
    .filter(({ pid }) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).startsWith(join(root, 'tmp', 'push-'))
      } catch {
        return false
      }
    })
    .filter(({ command }) => command.startsWith('sh -c'))
    .map(({ pid }) => pid)
}

describe('an agent whose push is cut', () => {
  /** An agent whose Node is incompressible, so that its size is what travels. */
  async function makeBundle(megabytes: number): Promise<AgentBundle> {
    const place = mkdtempSync(join(folder, 'sources-'))
    mkdirSync(join(place, 'ort', 'x64'), { recursive: true })
    mkdirSync(join(place, 'agent'))
    writeFileSync(join(place, 'ort', 'x64', 'onnxruntime_binding.node'), randomBytes(300_000))
    writeFileSync(join(place, 'ort', 'x64', 'libonnxruntime.so.1'), Buffer.concat([randomBytes(3_000_000), Buffer.alloc(5_000_000)]))
    writeFileSync(join(place, 'agent', 'agent.cjs'), 'console.log(1)')
    for (const name of Object.values(docsFiles)) writeFileSync(join(place, 'agent', name), name)
    writeFileSync(join(place, 'node'), randomBytes(megabytes * 1_000_000))
    return ensureAgentBundle('x64', {
      agentFolder: join(place, 'agent'),
      onnxRuntimeFolder: join(place, 'ort'),
      cacheFolder: join(place, 'cache'),
      version: '1.2.3',
      nodePaths: { x64: join(place, 'node') },
    })
  }

  const isWhole = (path: string) => existsSync(join(path, 'manifest.json'))

  it.each([6, 9, 12])('at random points is resumed, with %i MB of Node', { timeout: 240_000 }, async (megabytes) => {
    const bundle = await makeBundle(megabytes)
    const random = seededRandom(megabytes)
    const travelling = bundle.files.reduce((sum, file) => sum + file.gzipBytes, 0)
    // 20 points over the three sizes; the last kilobytes are the answer's way back, where nothing is left to be lost.
    for (let point = 0; point < (megabytes === 12 ? 6 : 7); point++) {
      const link = await openLink()
      const before = link.proxy.sentBytes()
      const cutAt = Math.floor(random.uniform() * travelling)
      link.proxy.cutAfter(cutAt)
      await expect(link.store.bringAgent(bundle, recordingReporter())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      for (const runtime of listed('runtime')) expect(isWhole(join(root, 'runtime', runtime))).toBe(false)
      // At once: what receives may still be there.
      await link.reconnect()
      const { runtime } = await link.store.bringAgent(bundle, recordingReporter())
      for (const { name, sha256 } of bundle.files) expect(hashOf(readFileSync(join(runtime, name)))).toBe(sha256)
      expect(isWhole(runtime)).toBe(true)
      // Nothing whole is sent twice; what TCP and SSH held on the way when the link was cut is.
      expect(link.proxy.sentBytes() - before).toBeLessThan(travelling + MOST_ON_THE_WAY)
      // An upload of the cut link that was slow to begin may end only now; the next look clears what it kept.
      await eventually('all uploads have ended', () => receivingShells().length === 0 && listed('tmp').length === 0)
      await link.store.bringAgent(bundle, recordingReporter())
      expect(chunksKept()).toEqual([])
      await link.stop()
      rmSync(root, { recursive: true })
    }
  })

  it('again and again gets through in the end', { timeout: 120_000 }, async () => {
    const bundle = await makeBundle(20)
    const link = await openLink()
    const travelling = bundle.files.reduce((sum, file) => sum + file.gzipBytes, 0)
    let cuts = 0
    for (;;) {
      link.proxy.cutAfter(6_000_000)
      const outcome = await link.store.bringAgent(bundle, recordingReporter()).catch((error) => error as Error)
      if (!(outcome instanceof Error)) break
      expect(outcome).toMatchObject({ code: 'CONNECTION_LOST' })
      expect(++cuts).toBeLessThan(10)
      await link.reconnect()
    }
    expect(cuts).toBeGreaterThanOrEqual(3)
    // Each cut costs a chunk that was not whole, and what was on its way.
    expect(link.proxy.sentBytes()).toBeLessThan(travelling + cuts * MOST_ON_THE_WAY)
  })
})

describe('a file whose push was interrupted', () => {
  /** Brings 10 MB until the link breaks after `cutAt` bytes; answers the file. */
  async function interrupt(link: Link, cutAt = 6_000_000) {
    const file = makeFile(join(folder, `interrupted-${randomBytes(4).toString('hex')}`), randomBytes(10_000_000))
    link.proxy.cutAfter(cutAt)
    await expect(link.store.bring([plainFile(file)], recordingReporter())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await eventually('what arrived is kept', () => listed('tmp').length === 0)
    await link.reconnect()
    return file
  }

  it('is resumed by another computer too, and by a later program', async () => {
    const link = await openLink()
    const file = await interrupt(link)
    expect(chunksKept().length).toBeGreaterThan(2)
    const other = await openLink()
    const reporter = recordingReporter()
    const { bytes } = await other.store.bring([plainFile(file)], reporter)
    expect(bytes).toBeLessThan(7_000_000)
    expect(reporter.lines.some((line) => /^\d\.\d MB are there already, from a push that was interrupted$/.test(line))).toBe(true)
    const last = reporter.steps.filter(({ unit }) => unit === 'bytes').at(-1)
    expect(last?.done).toBe(last?.total)
    expect(last?.done).toBeGreaterThan(10_000_000)
    expect(hashOf(readFileSync(join(root, 'blobs', file.sha256)))).toBe(file.sha256)
  })

  it('after a power cut that shortened, emptied or overwrote chunks arrives right', async () => {
    const link = await openLink()
    const file = await interrupt(link)
    const [shortened = '', emptied = ''] = chunksKept()
    truncateSync(shortened, 1000)
    truncateSync(emptied, 0)
    await link.store.bring([plainFile(file)], recordingReporter())
    expect(hashOf(readFileSync(join(root, 'blobs', file.sha256)))).toBe(file.sha256)

    const second = await interrupt(link)
    const [overwritten = ''] = chunksKept()
    writeFileSync(overwritten, Buffer.alloc(statSync(overwritten).size))
    const reporter = recordingReporter()
    const { bytes } = await link.store.bring([plainFile(second)], reporter)
    expect(reporter.lines.some((line) => line.includes('did not arrive as it is and is sent once more'))).toBe(true)
    expect(bytes).toBeGreaterThan(10_000_000)
    expect(hashOf(readFileSync(join(root, 'blobs', second.sha256)))).toBe(second.sha256)
    expect(chunksKept()).toEqual([])
  })

  it('is forgotten after a week, and not before', async () => {
    const link = await openLink()
    const file = await interrupt(link)
    const parts = join(root, 'parts', file.sha256)
    const other = plainFile(makeFile(join(folder, 'other'), randomBytes(1000)))
    const days = (count: number) => new Date(Date.now() - count * 86_400_000)
    utimesSync(parts, days(6), days(6))
    await link.store.bring([other], recordingReporter())
    expect(existsSync(parts)).toBe(true)
    utimesSync(parts, days(8), days(8))
    await link.store.bring([other], recordingReporter())
    expect(existsSync(parts)).toBe(false)
  })

  it('is not mixed with the same content compressed in another way', async () => {
    const content = Buffer.concat([randomBytes(6_000_000), Buffer.alloc(3_000_000)])
    const compressed = (level: number): StoreFile => {
      const gzip = gzipSync(content, { level })
      const form = (bytes: Buffer) => ({
        sha256: hashOf(bytes),
        sizeBytes: bytes.length,
        open: (from: number) => Readable.from([bytes.subarray(from)], { objectMode: false }),
      })
      return { name: 'node', executable: false, plain: form(content), gzip: form(gzip) }
    }
    const link = await openLink()
    link.proxy.cutAfter(4_000_000)
    await expect(link.store.bring([compressed(1)], recordingReporter())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await link.reconnect()
    await link.store.bring([compressed(9)], recordingReporter())
    expect(hashOf(readFileSync(join(root, 'blobs', hashOf(content))))).toBe(hashOf(content))
  })

  it('is resumed where a board has neither gzip nor anything but coreutils and tar', async () => {
    const bare = await startHarnessedDevice({ path: makeBarePath(mkdtempSync(join(folder, 'bin-'))) })
    try {
      const content = Buffer.concat([randomBytes(6_000_000), Buffer.alloc(1_000_000)])
      const gzipPath = join(folder, 'bare.gz')
      writeFileSync(gzipPath, gzipSync(content))
      const file = bundledFile({
        name: 'node',
        sha256: hashOf(content),
        sizeBytes: content.length,
        executable: true,
        gzipPath,
        gzipBytes: statSync(gzipPath).size,
        gzipSha256: hashOf(readFileSync(gzipPath)),
      })
      const link = await openLink(bare)
      link.proxy.cutAfter(4_000_000)
      await expect(link.store.bring([file], recordingReporter())).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
      await link.reconnect()
      const { bytes } = await link.store.bring([file], recordingReporter())
      expect(bytes).toBeLessThan(6_000_000)
      expect(hashOf(readFileSync(join(bare.device.home, '.edgesmith', 'blobs', hashOf(content))))).toBe(hashOf(content))
    } finally {
      await bare.stop()
    }
  })

  it('is resumed after the shell that received it was killed', async () => {
    const link = await openLink()
    const file = makeFile(join(folder, 'killed'), randomBytes(16_000_000))
    let killed = 0
    const reporter = watching((done) => {
      if (done > 9_000_000 && killed === 0) for (const pid of receivingShells()) killed += Number(process.kill(pid, 'SIGKILL'))
    })
    await expect(link.store.bring([plainFile(file)], reporter)).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED' })
    expect(killed).toBe(1)
    // Nobody was there to take it away.
    expect(listed('tmp')).toHaveLength(1)
    const { bytes } = await link.store.bring([plainFile(file)], recordingReporter())
    expect(bytes).toBeLessThan(13_000_000)
    expect(hashOf(readFileSync(join(root, 'blobs', file.sha256)))).toBe(file.sha256)
    expect(listed('tmp')).toEqual([])
  })

  it('makes place at once for the next push of the same session when its link hangs', async () => {
    const link = await openLink()
    const file = makeFile(join(folder, 'hanging'), randomBytes(10_000_000))
    // The server never learns that this connection is dead.
    const reporter = watching((done) => {
      if (done > 5_000_000) link.proxy.freeze()
    })
    const hanging = link.store.bring([plainFile(file)], reporter).catch((error) => error as Error)
    await eventually('it hangs', () => reporter.steps.some(({ unit, done }) => unit === 'bytes' && done > 5_000_000))
    const [shell = 0] = receivingShells()
    expect(shell).toBeGreaterThan(1)
    const direct = await connectSsh(harnessed.options())
    // What a link does with a dead connection: the same store goes on over a new one.
    const owner = readFileSync(join(root, 'tmp', `push-${shell}`, 'owner'), 'utf8').trim()
    await runScript(direct, presenceScript(root, owner, []))
    expect(listed('tmp')).toEqual([])
    expect(receivingShells()).toEqual([])
    expect(chunksKept().length).toBeGreaterThan(1)
    direct.close()
    await link.proxy.stop()
    expect(await hanging).toMatchObject({ code: expect.stringMatching(/^(CONNECTION_LOST|DEVICE_COMMAND_FAILED)$/) })
  })
})

describe('one file from two computers at the same time', () => {
  it('arrives', async () => {
    const file = plainFile(makeFile(join(folder, 'shared'), randomBytes(12_000_000)))
    const both = await Promise.all([openLink(), openLink()])
    await Promise.all(both.map(({ store }) => store.bring([file], recordingReporter())))
    expect(hashOf(readFileSync(join(root, 'blobs', file.plain.sha256)))).toBe(file.plain.sha256)
    expect(listed('tmp')).toEqual([])
    expect(chunksKept()).toEqual([])
  })

  it('arrives when one of them is cut off', async () => {
    const file = plainFile(makeFile(join(folder, 'shared-too'), randomBytes(12_000_000)))
    const [first, second] = [await openLink(), await openLink()]
    first.proxy.cutAfter(7_000_000)
    const [one, two] = await Promise.allSettled([
      first.store.bring([file], recordingReporter()),
      second.store.bring([file], recordingReporter()),
    ])
    expect(one.status).toBe('rejected')
    expect(two.status).toBe('fulfilled')
    await first.reconnect()
    expect(await first.store.bring([file], recordingReporter())).toMatchObject({ files: 0, bytes: 0 })
    expect(hashOf(readFileSync(join(root, 'blobs', file.plain.sha256)))).toBe(file.plain.sha256)
  })
})

describe.skipIf(process.getuid?.() !== 0)('a disk that becomes full', () => {
  it.each(['while it is sent', 'while it is unpacked'])('%s keeps nothing, and says so', async (when) => {
    const path = makeBarePath(mkdtempSync(join(folder, 'bin-')), ['df'])
    // Without df nobody sees it coming.
    if (when === 'while it is unpacked') symlinkSync(execFileSync('which', ['gzip'], { encoding: 'utf8' }).trim(), join(path, 'gzip'))
    const small = await startHarnessedDevice({ path })
    const place = join(small.device.home, '.edgesmith')
    mkdirSync(place)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', place])
    try {
      small.device.give(place)
      const content = Buffer.concat([randomBytes(2_000_000), Buffer.alloc(20_000_000)])
      const gzipPath = join(folder, 'full.gz')
      writeFileSync(gzipPath, gzipSync(content))
      const gzipBytes = statSync(gzipPath).size
      const gzipSha256 = hashOf(readFileSync(gzipPath))
      const file = bundledFile({
        name: 'node',
        sha256: hashOf(content),
        sizeBytes: content.length,
        executable: true,
        gzipPath,
        gzipBytes,
        gzipSha256,
      })
      const { store } = await openLink(small)
      await expect(store.bring([file], recordingReporter())).rejects.toMatchObject({ code: 'DEVICE_NO_SPACE' })
      const left = ['blobs', 'tmp', 'parts', 'runtime'].flatMap((name) => readdirSync(join(place, name)))
      expect(left).toEqual([])
    } finally {
      execFileSync('umount', ['-l', place])
      await small.stop()
    }
  })
})

describe('a second push', () => {
  it('after changing only the model sends little more than the model', async () => {
    const first = await harnessed.open()
    await first.prepare(recordingReporter())
    await first.store([makeFile(join(folder, 'model.onnx'), randomBytes(5_000_000))], recordingReporter())
    first.close()
    const proxy = await startCutProxy(harnessed.device.port)
    const second = await harnessed.open({ port: proxy.port })
    await second.prepare(recordingReporter())
    await second.store([makeFile(join(folder, 'model.onnx'), randomBytes(5_000_000))], recordingReporter())
    // Everything: handshake, scripts, and what SSH puts around.
    expect(proxy.sentBytes()).toBeGreaterThan(5_000_000)
    expect(proxy.sentBytes()).toBeLessThan(5_100_000)
    second.close()
    await proxy.stop()
  })
})
