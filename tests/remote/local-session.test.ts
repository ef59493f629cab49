import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deviceReportSchema } from '../../src/contract/device.ts'
import { commandLineOf, residentBytesOf } from '../../src/platform/processes.ts'
import type { DeviceSession } from '../../src/remote/device-session.ts'
import { openLocalSession } from '../../src/remote/local-session.ts'
import { makeFile } from './device-harness.ts'
import { makeStandIn, recordingReporter, type StandIn } from './stand-in-agent.ts'

describe('this computer as a device', () => {
  let folder: string
  let root: string
  let standIn: StandIn
  let session: DeviceSession
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'edgesmith-local-'))
    root = join(folder, 'root')
    standIn = makeStandIn(folder)
    session = openLocalSession({ root, agentFolder: standIn.agentFolder, nodePath: process.execPath })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('describes itself, and fits', async () => {
    const report = deviceReportSchema.parse(await session.probe())
    expect(report).toMatchObject({ fits: true, architecture: process.arch, longBits: 64 })
    expect(report.memoryBytes).toBeGreaterThan(report.availableMemoryBytes)
    expect(report.target).not.toBeNull()
  })

  it('runs the agent in place: there is nothing to push', async () => {
    expect(await session.prepare(recordingReporter())).toMatchObject({ sentBytes: 0, sentFiles: 0, agentVersion: '0.0.1' })
    expect(existsSync(root)).toBe(false)
  })

  it('keeps files by their content, without taking their room twice', async () => {
    const file = makeFile(join(folder, 'model.onnx'), 'a model')
    const path = (await session.store([file], recordingReporter())).get(file.sha256) ?? ''
    expect(path).toBe(join(root, 'blobs', file.sha256))
    expect(statSync(path).ino).toBe(statSync(file.path).ino)
    // What it lacks or what was damaged comes back.
    rmSync(path)
    await session.store([file], recordingReporter())
    expect(readFileSync(path, 'utf8')).toBe('a model')
    rmSync(path)
    writeFileSync(path, 'damaged')
    const next = openLocalSession({ root, agentFolder: standIn.agentFolder, nodePath: process.execPath })
    await next.store([file], recordingReporter())
    expect(readFileSync(path, 'utf8')).toBe('a model')
    expect(readdirSync(join(root, 'blobs'))).toEqual([file.sha256])
  })

  it('refuses a file that is not the one that was announced', async () => {
    const file = makeFile(join(folder, 'swapped.onnx'), 'one')
    writeFileSync(file.path, 'two')
    await expect(session.store([file], recordingReporter())).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    expect(existsSync(join(root, 'blobs', file.sha256))).toBe(false)
  })

  it('says when the agent is not built, and when Node does not start', async () => {
    const unbuilt = openLocalSession({ root, agentFolder: join(folder, 'nowhere'), nodePath: process.execPath })
    await expect(unbuilt.prepare(recordingReporter())).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      hint: expect.stringContaining('build'),
    })
    const broken = join(folder, 'broken-node')
    writeFileSync(broken, '#!/bin/sh\nexit 3\n')
    for (const nodePath of [broken, join(folder, 'no-node')]) {
      const without = openLocalSession({ root, agentFolder: standIn.agentFolder, nodePath })
      await expect(without.prepare(recordingReporter())).rejects.toMatchObject({ code: 'ENGINE_DIED' })
    }
    chmodSync(broken, 0o755)
    const exits = openLocalSession({ root, agentFolder: standIn.agentFolder, nodePath: broken })
    await expect(exits.prepare(recordingReporter())).rejects.toMatchObject({ code: 'ENGINE_DIED', details: { exitCode: 3 } })
  })

  it('removes all of it', async () => {
    expect((await session.removeEverything()).removedBytes).toBeGreaterThan(0)
    expect(existsSync(root)).toBe(false)
    expect(await session.removeEverything()).toEqual({ removedBytes: 0 })
  })

  it('tells its own processes from others by their command line', async () => {
    expect(await commandLineOf(process.pid)).toContain('node')
    expect(await commandLineOf(4_194_304)).toBe('')
    expect(await residentBytesOf(4_194_304)).toBeNull()
  })
})
