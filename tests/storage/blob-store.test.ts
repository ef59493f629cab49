import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { BlobStore } from '../../src/storage/blob-store.ts'

let folder: string
let store: BlobStore
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-blobs-'))
  store = new BlobStore(folder)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('keeps a file under its hash, once', async () => {
  const source = join(folder, 'a.bin')
  writeFileSync(source, 'hello')
  const first = await store.put(source)
  expect(first).toEqual({ sha256: createHash('sha256').update('hello').digest('hex'), sizeBytes: 5 })
  expect(await store.put(source)).toEqual(first)
  expect(readFileSync(store.path(first.sha256), 'utf8')).toBe('hello')
  expect(await store.size(first.sha256)).toBe(5)
  expect(await store.sizeBytes()).toBe(5)
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  await store.remove(first.sha256)
  expect(existsSync(store.path(first.sha256))).toBe(false)
})

test('adopts a finished file and leaves no temporary one', async () => {
  const temporary = await store.temporaryPath()
  writeFileSync(temporary, new Uint8Array(200_000).fill(7))
  const { sizeBytes, sha256 } = await store.adopt(temporary)
  expect(sizeBytes).toBe(200_000)
  expect(existsSync(temporary)).toBe(false)
  expect(readFileSync(store.path(sha256)).length).toBe(200_000)
})

test('codes what is wrong with a source and keeps nothing', async () => {
  await expect(store.put(join(folder, 'missing'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  await expect(store.put(folder)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  expect(existsSync(join(folder, 'blobs'))).toBe(false)
})

test('sweeps what was left half-written a day ago, not what is being written', async () => {
  const old = await store.temporaryPath()
  const fresh = await store.temporaryPath()
  for (const path of [old, fresh]) writeFileSync(path, 'x')
  utimesSync(old, new Date(0), new Date(0))
  await store.sweepTemporary(Date.now())
  expect(existsSync(old)).toBe(false)
  expect(existsSync(fresh)).toBe(true)
})
