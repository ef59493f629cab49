import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { extractTarball } from '../../scripts/setup/tar-archive.mjs'
import { extractZip } from '../../scripts/setup/zip-archive.mjs'
import { tarball } from './fixture-archives.ts'
import { temporaryFolder } from './temporary-folder.ts'

const everything = () => true
const asItIs = (path: string) => path

function write(bytes: Uint8Array): { archive: string; out: string } {
  const folder = temporaryFolder()
  const archive = join(folder, 'archive')
  writeFileSync(archive, bytes)
  return { archive, out: join(folder, 'out') }
}

describe('extractTarball', () => {
  const large = Buffer.alloc(300_000, 'x')
  const bytes = tarball({
    'package/package.json': { content: '{}' },
    'package/bin/tool': { content: large, executable: true },
    'package/empty': { content: '' },
  })

  test('writes the chosen files with their right to be executed', async () => {
    const { archive, out } = write(bytes)
    expect(await extractTarball(archive, out, (path) => path !== 'package.json')).toEqual(['bin/tool', 'empty'])
    expect(readFileSync(join(out, 'bin/tool'))).toEqual(large)
    expect(statSync(join(out, 'bin/tool')).mode & 0o111).not.toBe(0)
    expect(statSync(join(out, 'empty')).size).toBe(0)
    expect(existsSync(join(out, 'package.json'))).toBe(false)
  })

  test('refuses to write outside its folder', async () => {
    const { archive, out } = write(tarball({ 'package/../../outside': { content: 'x' } }))
    await expect(extractTarball(archive, out, everything)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(existsSync(join(out, '../outside'))).toBe(false)
  })

  test.each([
    ['cut off', bytes.subarray(0, bytes.length / 2)],
    ['not compressed', Buffer.from('not an archive at all')],
  ])('says that it is damaged when it is %s', async (_, damaged) => {
    const { archive, out } = write(damaged)
    await expect(extractTarball(archive, out, everything)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })
})

describe('extractZip', () => {
  const bytes = zipSync({
    'app/tool': [strToU8('tool'.repeat(10_000)), { os: 3, attrs: 0o100755 << 16 }],
    'app/stored': [strToU8('stored'), { level: 0 }],
    'app/empty': strToU8(''),
    'app/other': strToU8('other'),
  })

  test('writes the chosen files where they are wanted', async () => {
    const { archive, out } = write(bytes)
    const progress: number[] = []
    const count = await extractZip(
      archive,
      out,
      (path) => (path === 'app/other' ? undefined : path.slice(4)),
      (written) => progress.push(written),
    )
    expect(count).toBe(3)
    expect(readFileSync(join(out, 'tool'), 'utf8')).toBe('tool'.repeat(10_000))
    expect(statSync(join(out, 'tool')).mode & 0o111).not.toBe(0)
    expect(readFileSync(join(out, 'stored'), 'utf8')).toBe('stored')
    expect(statSync(join(out, 'empty')).size).toBe(0)
    expect(existsSync(join(out, 'other'))).toBe(false)
    expect(progress.at(-1)).toBe(40_006)
  })

  test.each(['../outside', '/outside', 'a/../../outside'])('refuses the path %s', async (path) => {
    const { archive, out } = write(zipSync({ [path]: strToU8('x') }))
    await expect(extractZip(archive, out, asItIs)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
    expect(existsSync(join(out, '../outside'))).toBe(false)
  })

  test('refuses a symbolic link', async () => {
    const { archive, out } = write(zipSync({ link: [strToU8('/etc/passwd'), { os: 3, attrs: 0o120777 << 16 }] }))
    await expect(extractZip(archive, out, asItIs)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })

  test.each([
    ['cut off', bytes.subarray(0, bytes.length - 30)],
    ['empty', new Uint8Array()],
    ['changed inside', bytes.with(60, 255)],
    ['wrong about its directory', bytes.with(bytes.length - 6, 255)],
  ])('says that it is damaged when it is %s', async (_, damaged) => {
    const { archive, out } = write(damaged)
    await expect(extractZip(archive, out, asItIs)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  })
})
