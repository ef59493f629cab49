import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ExportFolder } from '../../../src/backend/export/export-folder.ts'
import { sha256Of } from '../../../src/platform/file-hash.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-export-folder-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const never = new AbortController().signal

describe('ExportFolder', () => {
  it('has its name only when it is whole, with checksums of everything', async () => {
    const path = join(folder, 'deep', 'out')
    const target = await ExportFolder.open(path, never)
    await target.text('b/run.sh', '#!/bin/sh\n', { executable: true })
    writeFileSync(join(folder, 'blob.gz'), gzipSync('packed'))
    await target.unzip('a.bin', join(folder, 'blob.gz'), { sha256: sha256Of(Buffer.from('packed')) })
    expect(existsSync(path)).toBe(false)
    const { files } = await target.finish()
    expect(files.map((file) => file.path)).toEqual(['SHA256SUMS', 'a.bin', 'b/run.sh'])
    expect(readFileSync(join(path, 'SHA256SUMS'), 'utf8')).toBe(
      `${sha256Of(Buffer.from('packed'))}  a.bin\n${sha256Of(Buffer.from('#!/bin/sh\n'))}  b/run.sh\n`,
    )
    if (process.platform !== 'win32')
      expect([statSync(join(path, 'b/run.sh')).mode & 0o777, statSync(join(path, 'a.bin')).mode & 0o777]).toEqual([0o755, 0o644])
    expect(readdirSync(join(folder, 'deep'))).toEqual(['out'])
  })

  it('takes an empty folder, and refuses one with files as well as a file', async () => {
    mkdirSync(join(folder, 'empty'))
    const target = await ExportFolder.open(join(folder, 'empty'), never)
    await target.text('file', 'x')
    await target.finish()
    await expect(ExportFolder.open(join(folder, 'empty'), never)).rejects.toMatchObject({
      code: 'FOLDER_NOT_EMPTY',
      message: expect.stringContaining('file'),
    })
    await expect(ExportFolder.open(join(folder, 'empty', 'file'), never)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' })
    expect(readdirSync(folder)).toEqual(['empty'])
  })

  it('does not replace what somebody put there meanwhile', async () => {
    const path = join(folder, 'out')
    const target = await ExportFolder.open(path, never)
    mkdirSync(path)
    writeFileSync(join(path, 'theirs'), '')
    await expect(target.finish()).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' })
    await target.discard()
    expect(readdirSync(folder)).toEqual(['out'])
    expect(readdirSync(path)).toEqual(['theirs'])
  })

  it('stops when it is cancelled, and leaves nothing behind', async () => {
    const controller = new AbortController()
    const target = await ExportFolder.open(join(folder, 'out'), controller.signal)
    writeFileSync(join(folder, 'large'), Buffer.alloc(64 * 2 ** 20))
    const copying = target.copy('large', join(folder, 'large'))
    controller.abort()
    await expect(copying).rejects.toMatchObject({ code: 'JOB_CANCELLED' })
    await target.discard()
    expect(readdirSync(folder)).toEqual(['large'])
  })

  it('refuses a file that is not what it was', async () => {
    const target = await ExportFolder.open(join(folder, 'out'), never)
    writeFileSync(join(folder, 'source'), 'other')
    await expect(target.copy('copy', join(folder, 'source'), { sha256: sha256Of(Buffer.from('expected')) })).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
    })
    await target.discard()
  })

  it('writes no names that break out of the folder or of a checksum list', async () => {
    const target = await ExportFolder.open(join(folder, 'out'), never)
    for (const name of ['../x', '/x', 'a//b', 'a b', 'a\nb', '', '-rf', './x', '.'])
      await expect(target.text(name, '')).rejects.toThrow('not a name')
    await target.discard()
  })
})
