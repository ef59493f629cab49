import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeReport } from '../../src/backend/report/write-report.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-report-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('writeReport', () => {
  it('replaces a file and leaves nothing else behind', async () => {
    const path = join(folder, 'out.html')
    await writeReport(path, 'first')
    expect(await writeReport(path, 'grün')).toEqual({ path, sizeBytes: 5 })
    expect(await readFile(path, 'utf8')).toBe('grün')
    expect(await readdir(folder)).toEqual(['out.html'])
  })

  it('says so when the folder does not exist', async () => {
    await expect(writeReport(join(folder, 'missing', 'out.html'), 'x')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  })

  it('refuses a path that is a folder, and leaves nothing behind', async () => {
    await mkdir(join(folder, 'out.html'))
    await expect(writeReport(join(folder, 'out.html'), 'x')).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' })
    expect(await readdir(folder)).toEqual(['out.html'])
  })
})
