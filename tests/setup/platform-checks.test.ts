import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nodePath } from '../../scripts/setup/node-runtime.mjs'
import { checkDiskSpace, checkNodeVersion, checkPlatform, checkWritable } from '../../scripts/setup/platform-checks.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { explainFileError } from '../../scripts/setup/setup-error.mjs'
import { explainAptFailure, missingPartsError } from '../../scripts/setup/system-packages.mjs'
import { asOrdinaryUser } from './ordinary-user.ts'
import { temporaryFolder } from './temporary-folder.ts'

const thrown = (work: () => unknown): unknown => {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

test('everything runs on Node 22', () => {
  expect(spawnSync(nodePath(), ['--version'], { encoding: 'utf8' }).stdout).toMatch(/^v22\./)
  expect(process.versions.node).toMatch(/^22\./)
})

test('names the platforms there are', () => {
  expect(checkPlatform('linux-x64', () => true)).toBe('linux-x64')
  expect(thrown(() => checkPlatform('freebsd-x64'))).toMatchObject({
    code: 'PLATFORM_UNSUPPORTED',
    hint: expect.stringContaining('linux-arm64'),
  })
  expect(thrown(() => checkPlatform('darwin-x64'))).toMatchObject({
    code: 'PLATFORM_UNSUPPORTED',
    hint: expect.stringContaining('Apple silicon'),
  })
  expect(thrown(() => checkPlatform('linux-arm64', () => false))).toMatchObject({
    code: 'PLATFORM_UNSUPPORTED',
    hint: expect.stringContaining('musl'),
  })
})

test('needs Node 20 to start the set-up', () => {
  expect(thrown(() => checkNodeVersion('18.20.4'))).toMatchObject({ code: 'NODE_TOO_OLD', message: expect.stringContaining('18.20.4') })
  expect(thrown(() => checkNodeVersion('20.0.0'))).toBeUndefined()
})

test('says how much space is missing, also for a folder that does not exist yet', () => {
  const folder = join(temporaryFolder(), 'not/yet')
  expect(thrown(() => checkDiskSpace(folder, 2e9, 'Electron', 1e9))).toMatchObject({
    code: 'DISK_FULL',
    message: `Electron need 2000 MB on the disk of ${folder}, 1000 MB are free`,
  })
  expect(thrown(() => checkDiskSpace(folder, 1, 'Electron'))).toBeUndefined()
})

test('names the folder that may not be written', async () => {
  const folder = temporaryFolder()
  chmodSync(folder, 0o555)
  const error = await asOrdinaryUser(() => thrown(() => checkWritable(join(folder, 'below'))))
  chmodSync(folder, 0o755)
  expect(error).toMatchObject({ code: 'NOT_WRITABLE', message: expect.stringContaining(folder) })
})

test('a full disk in the middle of writing is no bug', () => {
  const full = Object.assign(new Error('write'), { code: 'ENOSPC' })
  expect(explainFileError(full, 'x')).toMatchObject({ code: 'DISK_FULL' })
  const bug = new TypeError('x is not a function')
  expect(explainFileError(bug, 'x')).toBe(bug)
})

test('finds the cache where the platform keeps caches, or where it is told', () => {
  expect(cacheDirectory({ EDGESMITH_CACHE_DIR: '/c' })).toBe('/c')
  expect(cacheDirectory({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'edgesmith'))
  expect(cacheDirectory({}, 'darwin')).toMatch(/Library[\\/]Caches[\\/]edgesmith$/)
  expect(cacheDirectory({ LOCALAPPDATA: '/l' }, 'win32')).toBe(join('/l', 'edgesmith', 'cache'))
})

test('gives the exact command for missing packages, and names what has none', () => {
  const parts = [
    { what: 'libfoo.so.1', package: 'edgesmith-test-foo', neededFor: 'Electron' },
    { what: 'libfoo-extra.so.1', package: 'edgesmith-test-foo', neededFor: 'Electron' },
    { what: 'libbar.so.2', package: undefined, neededFor: 'Electron' },
  ]
  const error = missingPartsError(parts, true, (names) => names.map((name) => `${name}t64`))
  expect(error.hint).toContain('sudo apt-get update && sudo apt-get install -y --no-install-recommends edgesmith-test-foot64\n')
  expect(error.hint).toContain('libbar.so.2')
  expect(missingPartsError(parts, false)).toMatchObject({
    code: 'SYSTEM_PACKAGES_MISSING',
    message: expect.stringContaining('libfoo.so.1'),
    hint: expect.not.stringContaining('apt-get'),
  })
})

test.each([
  ["E: You don't have enough free space in /var/cache/apt/archives/.", 'DISK_FULL'],
  ['W: Failed to fetch  Temporary failure resolving', 'NETWORK_UNREACHABLE'],
  ['E: dpkg was interrupted', 'SYSTEM_PACKAGES_MISSING'],
])('names the cause of apt-get saying %j', (output, code) => {
  expect(explainAptFailure(output)).toMatchObject({ code })
})
