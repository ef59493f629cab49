import { execFileSync } from 'node:child_process'
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { replaceFileSync } from '../../src/platform/durable-files.ts'
import { sha256Of } from '../../src/platform/file-hash.ts'
import { readError, readWholeFile } from '../../src/platform/read-file.ts'
import { writeError, writeFileWhole } from '../../src/platform/write-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-files-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('what is written is read again', async () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251)
  await writeFileWhole(join(folder, 'a'), bytes)
  expect(Buffer.from(await readWholeFile(join(folder, 'a'), 'a', 100_000)).equals(bytes)).toBe(true)
  expect(await readdir(folder)).toEqual(['a'])
})

test('a file over the limit is not read', async () => {
  await writeFile(join(folder, 'a'), '12345')
  await expect(readWholeFile(join(folder, 'a'), 'a.onnx', 4)).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: 'a.onnx has 5 bytes, at most 4 can be read.',
  })
})

test('a failed write leaves the old file as it was', async () => {
  await writeFile(join(folder, 'a'), 'old')
  await expect(writeFileWhole(join(folder, 'a', 'b'), new Uint8Array(1))).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' })
  expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old')
  expect(await readdir(folder)).toEqual(['a'])
})

test('a small file is replaced at once, and what cannot be replaced leaves nothing behind', async () => {
  const path = join(folder, 'a')
  replaceFileSync(path, 'old')
  replaceFileSync(path, 'new')
  expect(await readFile(path, 'utf8')).toBe('new')
  expect((await lstat(path)).mode & 0o777).toBe(0o600)
  expect(() => replaceFileSync(folder, 'x')).toThrow()
  expect(await readdir(folder)).toEqual(['a'])
  expect((await readdir(dirname(folder))).filter((name) => name.startsWith(`${basename(folder)}.`))).toEqual([])
})

test('a pipe is not replaced', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  await expect(writeFileWhole(path, new Uint8Array(1))).rejects.toMatchObject({
    code: 'FILE_NOT_WRITABLE',
    message: expect.stringMatching(/a device or pipe/),
  })
  expect((await lstat(path)).isFIFO()).toBe(true)
  expect(await readdir(folder)).toEqual(['pipe'])
})

test('a pipe is not read', async () => {
  const path = join(folder, 'pipe')
  execFileSync('mkfifo', [path])
  await expect(readWholeFile(path, 'pipe', 10)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
})

describe('system errors while reading', () => {
  test.each([
    ['EACCES', 'FILE_UNREADABLE', /no right to read m\.onnx/],
    ['EPERM', 'FILE_UNREADABLE', /no right/],
    ['ENOENT', 'FILE_NOT_FOUND', /m\.onnx does not exist/],
    ['ENOTDIR', 'FILE_NOT_FOUND', /does not exist/],
    ['EISDIR', 'FILE_UNREADABLE', /is a folder/],
    ['EIO', 'FILE_UNREADABLE', /cannot be read: i\/o error/],
  ])('%s', (code, expected, message) => {
    expect(readError(Object.assign(new Error('i/o error'), { code }), 'm.onnx')).toMatchObject({
      code: expected,
      message: expect.stringMatching(message),
    })
  })

  test('a bug stays what it is', () => {
    const bug = new TypeError('x')
    expect(readError(bug, 'm.onnx')).toBe(bug)
  })
})

describe('system errors while writing', () => {
  test.each([
    ['ENOSPC', 'NO_SPACE', /no space left to write \/a\/b/],
    ['EDQUOT', 'NO_SPACE', /no space/],
    ['EACCES', 'FILE_NOT_WRITABLE', /no right to write \/a\/b/],
    ['EROFS', 'FILE_NOT_WRITABLE', /no right/],
    ['ENOENT', 'FILE_NOT_WRITABLE', /folder of \/a\/b does not exist/],
    ['EISDIR', 'FILE_NOT_WRITABLE', /is a folder/],
  ])('%s', (code, expected, message) => {
    expect(writeError(Object.assign(new Error('x'), { code }), '/a/b')).toMatchObject({
      code: expected,
      message: expect.stringMatching(message),
    })
  })

  test('a bug stays what it is', () => {
    const bug = new TypeError('x')
    expect(writeError(bug, '/a/b')).toBe(bug)
  })
})

test('SHA-256 of the empty string and of abc', () => {
  // FIPS 180-4 examples
  expect(sha256Of(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(sha256Of(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
