import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Progress } from '../../src/contract/job.ts'
import { DeviceStore } from '../../src/remote/device-store.ts'
import { connectSsh } from '../../src/remote/ssh-connect.ts'
import { plainFile } from '../../src/remote/store-file.ts'
import { makeBarePath } from '../devices/bare-path.ts'
import { startCutProxy } from '../devices/cut-proxy.ts'
import { eventually, type HarnessedDevice, makeFile, startHarnessedDevice } from './device-harness.ts'
import { recordingReporter } from './stand-in-agent.ts'

let harnessed: HarnessedDevice
let root: string
let folder: string
beforeAll(async () => {
  harnessed = await startHarnessedDevice()
  root = join(harnessed.device.home, '.edgesmith')
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-push-'))
  chmodSync(folder, 0o755)
})
afterAll(async () => {
  await harnessed.stop()
  rmSync(folder, { recursive: true, force: true })
})

const hashOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

const isSending = ({ phase }: Progress) => phase.startsWith('sending to the device')

/** Every file of the store has the content its name says, and no upload is in progress. */
function expectWholeStore(): void {
  for (const name of readdirSync(join(root, 'blobs'))) expect(hashOf(join(root, 'blobs', name))).toBe(name)
  expect(readdirSync(join(root, 'tmp'))).toEqual([])
}

describe('the agent', () => {
  it('is sent once, checked, put together, and tests itself', async () => {
    const session = await harnessed.open()
    const reporter = recordingReporter()
    const bundle = await harnessed.standIn.bundle('x64')
    const first = await session.prepare(reporter)
    expect(first).toMatchObject({ sentFiles: 9, totalBytes: bundle.totalBytes, agentVersion: '0.0.1' })
    expect(first.sentBytes).toBeGreaterThan(1000)
    const sending = reporter.steps.filter(isSending)
    expect(sending.at(-1)).toEqual({
      phase: expect.stringMatching(/^sending to the device(, \d+\.\d [kM]B\/s)?$/),
      done: first.sentBytes,
      total: first.sentBytes,
      unit: 'bytes',
    })
    expect(reporter.lines.some((line) => /^Sent 9 files, .* MB\/s\)$/.test(line))).toBe(true)

    expectWholeStore()
    const runtime = join(root, 'runtime', bundle.id)
    expect(readdirSync(runtime).sort()).toEqual([
      'agent.cjs',
      'libonnxruntime.so.1',
      'manifest.json',
      'manifest.sig',
      'node',
      'onnxruntime_binding.node',
      'swagger-ui-bundle.js.gz',
      'swagger-ui-licence.txt',
      'swagger-ui.css.gz',
    ])
    for (const { name, sha256, executable } of bundle.files) {
      expect(hashOf(join(runtime, name))).toBe(sha256)
      expect(statSync(join(runtime, name)).mode & 0o777).toBe(executable ? 0o700 : 0o600)
      // Linked, not copied: the runtime takes no room of its own.
      expect(statSync(join(runtime, name)).ino).toBe(statSync(join(root, 'blobs', sha256)).ino)
    }
    expect(statSync(root).mode & 0o777).toBe(0o700)

    expect(await session.prepare(recordingReporter())).toMatchObject({ sentFiles: 0, sentBytes: 0 })
    session.close()
  })

  it('is sent again only where it changed: our code, the manifest and its signature', async () => {
    const session = await harnessed.open()
    await session.prepare(recordingReporter())
    harnessed.standIn.setVersion('0.0.2')
    expect(await session.prepare(recordingReporter())).toMatchObject({ sentFiles: 3, agentVersion: '0.0.2' })
    expectWholeStore()
    session.close()
  })

  it('is mended when a file was damaged on the device', async () => {
    const session = await harnessed.open()
    await session.prepare(recordingReporter())
    const library = (await harnessed.standIn.bundle('x64')).files.find(({ name }) => name.startsWith('lib'))
    truncateSync(join(root, 'blobs', library?.sha256 ?? ''), 100)
    const reporter = recordingReporter()
    expect(await session.prepare(reporter)).toMatchObject({ sentFiles: 1 })
    expect(reporter.lines.some((line) => /was damaged on the device and is sent again/.test(line))).toBe(true)
    expectWholeStore()
    session.close()
  })

  it('is put together again when its folder is gone, and names itself missing when it goes meanwhile', async () => {
    const session = await harnessed.open()
    const { id } = await harnessed.standIn.bundle('x64')
    await session.prepare(recordingReporter())
    rmSync(join(root, 'runtime', id), { recursive: true })
    await expect(session.runAgent({ command: 'self-test' }, recordingReporter())).rejects.toMatchObject({ code: 'DEVICE_COMMAND_FAILED' })
    expect(await session.runAgent({ command: 'self-test' }, recordingReporter())).toMatchObject({ edgesmithVersion: '0.0.2' })
    session.close()
  })
})

describe('models and datasets', () => {
  it('are sent by content: only what the device lacks', async () => {
    const session = await harnessed.open()
    const first = makeFile(join(folder, 'first.onnx'), randomBytes(300_000))
    const second = makeFile(join(folder, 'second.npz'), randomBytes(1_000_001))
    const reporter = recordingReporter()
    const paths = await session.store([first, second, first], reporter)
    expect(hashOf(paths.get(first.sha256) ?? '')).toBe(first.sha256)
    expect(paths.get(second.sha256)).toBe(join(root, 'blobs', second.sha256))

    const changed = makeFile(join(folder, 'first.onnx'), randomBytes(300_000))
    const next = await harnessed.open()
    const again = recordingReporter()
    await next.store([changed, second], again)
    const sent = again.steps.filter(isSending).at(-1)?.done ?? 0
    expect(sent).toBeGreaterThanOrEqual(300_000)
    expect(sent).toBeLessThan(310_000)
    expectWholeStore()
    next.close()
    session.close()
  })

  it('are refused when the file here is not what was announced, and nothing arrives', async () => {
    const session = await harnessed.open()
    const file = makeFile(join(folder, 'swapped.onnx'), randomBytes(50_000))
    writeFileSync(file.path, randomBytes(50_000))
    await expect(session.store([file], recordingReporter())).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' })
    writeFileSync(file.path, randomBytes(40_000))
    await expect(session.store([file], recordingReporter())).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await expect(session.store([{ ...file, path: join(folder, 'nowhere') }], recordingReporter())).rejects.toMatchObject({ code: 'ENOENT' })
    await eventually('the upload is cleared away', () => readdirSync(join(root, 'tmp')).length === 0)
    expect(existsSync(join(root, 'blobs', file.sha256))).toBe(false)
    session.close()
  })

  it('are refused before anything is sent when the disk of the device is too small', async () => {
    const session = await harnessed.open()
    const file = { ...makeFile(join(folder, 'huge.onnx'), 'x'), sizeBytes: 8e15 }
    const reporter = recordingReporter()
    await expect(session.store([file], reporter)).rejects.toMatchObject({
      code: 'DEVICE_NO_SPACE',
      details: { neededBytes: expect.any(Number) },
    })
    expect(reporter.steps.some(isSending)).toBe(false)
    session.close()
  })

  it('are sent once when two jobs need them at the same time, and waiting for the other can be cancelled', async () => {
    const session = await harnessed.open()
    const file = makeFile(join(folder, 'wanted-twice.onnx'), randomBytes(3_000_000))
    const reporters = [recordingReporter(), recordingReporter()]
    const jobs = reporters.map((reporter) => session.store([file], reporter))
    const abort = new AbortController()
    const third = session.store([file], recordingReporter(), abort.signal)
    abort.abort()
    await expect(third).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await Promise.all(jobs)
    const senders = reporters.filter(({ steps }) => steps.some(isSending))
    expect(senders).toHaveLength(1)
    expect((await session.store([file], recordingReporter())).size).toBe(1)
    session.close()
  })

  it('leave nothing when the job is cancelled in the middle', async () => {
    const session = await harnessed.open()
    const file = makeFile(join(folder, 'long.onnx'), randomBytes(30_000_000))
    const abort = new AbortController()
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (isSending(step) && step.done > 5_000_000) abort.abort()
    }
    await expect(session.store([file], reporter, abort.signal)).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await eventually('the upload is cleared away', () => readdirSync(join(root, 'tmp')).length === 0)
    expect(existsSync(join(root, 'blobs', file.sha256))).toBe(false)
    expect((await session.store([file], recordingReporter())).size).toBe(1)
    expectWholeStore()
    session.close()
  })
})

describe('an upload whose link breaks', () => {
  it.each([100_000, 3_000_000, 9_900_000])('after %i bytes leaves nothing half-made, and the next one works', async (bytes) => {
    const proxy = await startCutProxy(harnessed.device.port)
    const connection = await connectSsh(harnessed.options({ port: proxy.port }))
    const file = makeFile(join(folder, 'cut.onnx'), randomBytes(10_000_000))
    proxy.cutAfter(bytes)
    await expect(new DeviceStore(connection, root).bring([plainFile(file)], recordingReporter())).rejects.toMatchObject({
      code: 'CONNECTION_LOST',
    })
    expect(connection.closed).toBe(true)
    await proxy.stop()
    await eventually('the upload is cleared away', () => readdirSync(join(root, 'tmp')).length === 0)
    expectWholeStore()
    const next = await harnessed.open()
    await next.store([file], recordingReporter())
    expect(hashOf(join(root, 'blobs', file.sha256))).toBe(file.sha256)
    next.close()
  })

  it('is noticed when nobody says so (a pulled cable)', async () => {
    const proxy = await startCutProxy(harnessed.device.port)
    const connection = await connectSsh(harnessed.options({ port: proxy.port, keepAliveMs: 200 }))
    const file = makeFile(join(folder, 'frozen.onnx'), randomBytes(10_000_000))
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (isSending(step)) proxy.freeze()
    }
    await expect(new DeviceStore(connection, root).bring([plainFile(file)], reporter)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
    await proxy.stop()
    // The server learns of it when the relay ends; until then the upload over there waits.
    await eventually('the upload is cleared away', () => readdirSync(join(root, 'tmp')).length === 0)
  })

  it('of long ago is cleared away by the next one, but not one that is going on', async () => {
    mkdirSync(join(root, 'tmp', 'push-999999'))
    writeFileSync(join(root, 'tmp', 'push-999999', 'half'), 'half')
    harnessed.device.give(join(root, 'tmp', 'push-999999'))
    const session = await harnessed.open()
    const other = await harnessed.open()
    const slow = makeFile(join(folder, 'slow.onnx'), randomBytes(20_000_000))
    let during: Promise<unknown> | null = null
    const reporter = recordingReporter()
    const progress = reporter.progress
    reporter.progress = (step) => {
      progress(step)
      if (isSending(step) && step.done > 1_000_000) {
        during ??= other.store([makeFile(join(folder, 'quick.onnx'), randomBytes(1000))], recordingReporter())
      }
    }
    await session.store([slow], reporter)
    expect(during).not.toBeNull()
    await during
    expectWholeStore()
    expect(existsSync(join(root, 'blobs', slow.sha256))).toBe(true)
    session.close()
    other.close()
  })
})

describe('two computers at once', () => {
  it('do not disturb each other', async () => {
    rmSync(root, { recursive: true, force: true })
    const files = Array.from({ length: 4 }, (_, index) => makeFile(join(folder, `shared-${index}`), randomBytes(500_000)))
    const sessions = await Promise.all([1, 2, 3].map(() => harnessed.open()))
    await Promise.all(
      sessions.map(async (session) => {
        await session.prepare(recordingReporter())
        await session.store(files, recordingReporter())
        await session.runAgent({ command: 'self-test' }, recordingReporter())
      }),
    )
    expectWholeStore()
    for (const session of sessions) session.close()
  })
})

describe('a board with next to nothing installed', () => {
  it.each([
    { what: 'coreutils and tar, no gzip', without: [] },
    { what: 'no program that hashes: the Node that was sent does it', without: ['sha256sum'] },
  ])('takes the agent with $what', async ({ without }) => {
    const bare = await startHarnessedDevice({ path: makeBarePath(mkdtempSync(join(folder, 'bin-')), without) })
    try {
      const session = await bare.open()
      expect(await session.prepare(recordingReporter())).toMatchObject({ sentFiles: 9 })
      expect(await session.prepare(recordingReporter())).toMatchObject({ sentFiles: 0 })
      await session.removeEverything()
      expect(readdirSync(bare.device.home)).toEqual(['.ssh'])
      session.close()
    } finally {
      await bare.stop()
    }
  })

  it.each([
    'tar: node: Wrote only 4608 of 10240 bytes',
    'tar: write error: No space left on device',
    'tar: node: Cannot write: Disk quota exceeded',
  ])('says that its disk is full when unpacking fails of it, and keeps nothing: %s', async (complaint) => {
    const fullTar = `#!/bin/sh\ncat >/dev/null\necho '${complaint}' >&2\nexit 2\n`
    const full = await startHarnessedDevice({ path: makeBarePath(mkdtempSync(join(folder, 'bin-')), [], { tar: fullTar }) })
    try {
      const session = await full.open()
      await expect(session.prepare(recordingReporter())).rejects.toMatchObject({ code: 'DEVICE_NO_SPACE' })
      expect(readdirSync(join(full.device.home, '.edgesmith', 'tmp'))).toEqual([])
      expect(readdirSync(join(full.device.home, '.edgesmith', 'blobs'))).toEqual([])
      session.close()
    } finally {
      await full.stop()
    }
  })
})
