import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { missingEntries, platformFromName, takeOverOptionalDependencies } from '../../scripts/complete-lockfile.mjs'
import { dependencyProblems, installsOn, lockfileDifferences } from '../../scripts/setup/lockfile-state.mjs'
import { projectRoot } from '../../scripts/setup/project-paths.mjs'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

const platform = 'linux-x64'
const lockedPackages = {
  '': { dependencies: { plain: '1.0.0' } },
  'node_modules/plain': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/native-linux': { version: '2.0.0', optional: true, os: ['linux'], cpu: ['x64'] },
  'node_modules/native-mac': { version: '2.0.0', optional: true, os: ['darwin'], cpu: ['arm64'] },
  'node_modules/for-everybody': { version: '3.0.0', optional: true },
}
const { '': _project, 'node_modules/native-mac': _mac, 'node_modules/for-everybody': _everybody, ...installedPackages } = lockedPackages

function project(installed: Record<string, object> = installedPackages): string {
  const root = temporaryFolder()
  writeFiles(root, {
    'package.json': { dependencies: { plain: '1.0.0' } },
    'package-lock.json': { packages: lockedPackages },
    'node_modules/.package-lock.json': { packages: installed },
    'node_modules/plain/package.json': { version: '1.0.0' },
  })
  return root
}

const stampOf = (root: string) => join(root, 'node_modules/.edgesmith-stamp')

describe('dependencyProblems', () => {
  test('accepts what npm installed by hand, and remembers it', () => {
    const root = project()
    expect(dependencyProblems(root, platform)).toEqual([])
    const stamp = readFileSync(stampOf(root), 'utf8')
    // With the stamp npm's own record is not read any more.
    rmSync(join(root, 'node_modules/.package-lock.json'))
    expect(dependencyProblems(root, platform)).toEqual([])
    expect(readFileSync(stampOf(root), 'utf8')).toBe(stamp)
  })

  test('sees a changed lockfile behind an old stamp', () => {
    const root = project()
    dependencyProblems(root, platform)
    writeFiles(root, { 'package-lock.json': { packages: { ...lockedPackages, 'node_modules/plain': { version: '1.0.1' } } } })
    expect(dependencyProblems(root, platform)).toEqual(['node_modules/plain is 1.0.0, package-lock.json says 1.0.1'])
  })

  test('sees a folder that was deleted by hand in spite of the stamp', () => {
    const root = project()
    dependencyProblems(root, platform)
    rmSync(join(root, 'node_modules/plain'), { recursive: true })
    expect(dependencyProblems(root, platform)).toEqual(['node_modules/plain is missing'])
  })

  test('does not take one platform for another', () => {
    const root = project()
    dependencyProblems(root, platform)
    expect(dependencyProblems(root, 'darwin-arm64')).toEqual(['node_modules/native-mac 2.0.0 is not installed'])
  })

  test('writes no stamp when something is wrong', () => {
    const root = project({})
    expect(dependencyProblems(root, platform)).toHaveLength(2)
    expect(existsSync(stampOf(root))).toBe(false)
  })
})

describe('lockfileDifferences', () => {
  test('names a native package that npm left out', () => {
    const { 'node_modules/native-linux': _left, ...rest } = installedPackages
    expect(lockfileDifferences(project(rest), platform)).toEqual(['node_modules/native-linux 2.0.0 is not installed'])
  })

  test('names what does not belong there and what has another hash', () => {
    const root = project({
      ...installedPackages,
      'node_modules/extra': { version: '1.0.0' },
      'node_modules/plain': { version: '1.0.0', integrity: 'sha512-b' },
    })
    expect(lockfileDifferences(root, platform)).toEqual([
      'node_modules/plain is 1.0.0, package-lock.json says 1.0.0',
      'node_modules/extra is not in package-lock.json',
    ])
  })

  test('knows an interrupted installation', () => {
    const root = project()
    rmSync(join(root, 'node_modules/.package-lock.json'))
    expect(lockfileDifferences(root, platform)).toEqual(['node_modules is missing or its installation was interrupted'])
  })
})

test.each([
  [{}, true],
  [{ os: 'linux', cpu: 'x64' }, true],
  [{ os: ['!win32'] }, true],
  [{ os: ['!linux'] }, false],
  [{ os: ['linux'], cpu: ['arm64'] }, false],
  [{ os: ['linux'], cpu: ['x64'], libc: ['musl'] }, false],
  [{ os: ['linux'], cpu: ['x64'], libc: ['glibc'] }, true],
])('installsOn(%j) is %s', (entry, expected) => {
  expect(installsOn(entry, platform)).toBe(expected)
})

describe('package-lock.json of this project', () => {
  const lockfile = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8'))

  test('holds every optional package that a locked package names (otherwise npm ci refuses it)', () => {
    expect(missingEntries(lockfile)).toEqual([])
  })

  test('has the dependencies of package.json, and no registry addresses', () => {
    const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))
    const before = structuredClone(lockfile)
    takeOverOptionalDependencies(lockfile, manifest)
    expect(lockfile).toEqual(before)
    expect(Object.entries(before.packages).filter(([, entry]) => (entry as { resolved?: string }).resolved)).toEqual([])
  })
})

describe('complete-lockfile', () => {
  test('finds a dropped package beside the one that names it', () => {
    const packages = {
      '': {},
      'node_modules/a': { optionalDependencies: { here: '1.0.0', gone: '1.0.0' } },
      'node_modules/here': { version: '1.0.0' },
      'node_modules/b/node_modules/c': { optionalDependencies: { here: '1.0.0', '@x/gone': '2.0.0' } },
    }
    expect(missingEntries({ packages }).map(({ place }) => place)).toEqual(['node_modules/gone', 'node_modules/b/node_modules/@x/gone'])
  })

  test('refuses a lockfile whose required dependencies differ', () => {
    const lockfile = { packages: { '': { dependencies: { a: '1.0.0' } } } }
    expect(() => takeOverOptionalDependencies(lockfile, { dependencies: { a: '1.0.1' } })).toThrow(
      'package.json wants a 1.0.1, package-lock.json has 1.0.0',
    )
  })

  test.each([
    ['@biomejs/cli-darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
    ['@biomejs/cli-linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
    ['@oxc-parser/binding-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@oxc-parser/binding-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['@oxc-parser/binding-android-arm-eabi', { os: ['android'], cpu: ['arm'] }],
  ])('reads the platform of %s', (name, expected) => {
    expect(platformFromName(name)).toEqual(expected)
  })
})
