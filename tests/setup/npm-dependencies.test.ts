import { chmodSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { environmentWithoutBin, explainNpmFailure } from '../../scripts/setup/npm-command.mjs'
import { ensureDependencies } from '../../scripts/setup/npm-dependencies.mjs'
import { integrityOf, tarball } from './fixture-archives.ts'
import { closedRegistry, type FixtureServer, npmEnvironment, serveRegistry } from './fixture-registry.ts'
import { asOrdinaryUser } from './ordinary-user.ts'
import './quiet-progress.ts'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

const platform = `${process.platform}-${process.arch}`
const packed = tarball({
  'package/package.json': { content: JSON.stringify({ name: 'tiny', version: '1.0.0' }) },
  'package/index.js': { content: 'module.exports = 1' },
})
const servers: FixtureServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function registry(bytes: Buffer): Promise<FixtureServer> {
  const server = await serveRegistry([{ name: 'tiny', version: '1.0.0', tarball: bytes, integrity: integrityOf(packed) }])
  servers.push(server)
  return server
}

function project(): string {
  const root = temporaryFolder()
  const dependencies = { tiny: '1.0.0' }
  writeFiles(root, {
    'package.json': { name: 'fixture', version: '1.0.0', dependencies },
    'package-lock.json': {
      name: 'fixture',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: {
        '': { name: 'fixture', version: '1.0.0', dependencies },
        'node_modules/tiny': { version: '1.0.0', integrity: integrityOf(packed) },
      },
    },
  })
  return root
}

describe('ensureDependencies', () => {
  test('installs once, does nothing the second time, and again after node_modules was deleted', async () => {
    const root = project()
    const server = await registry(packed)
    const env = npmEnvironment(server.url, root)
    expect(await ensureDependencies(root, platform, env)).toBe('installed')
    expect(readFileSync(join(root, 'node_modules/tiny/index.js'), 'utf8')).toBe('module.exports = 1')
    const asked = server.requests.length
    expect(await ensureDependencies(root, platform, env)).toBe('unchanged')
    expect(server.requests).toHaveLength(asked)
    rmSync(join(root, 'node_modules'), { recursive: true })
    expect(await ensureDependencies(root, platform, env)).toBe('installed')
  })

  test('lets two processes at once install one after the other', async () => {
    const root = project()
    const env = npmEnvironment((await registry(packed)).url, root)
    const results = await Promise.all([ensureDependencies(root, platform, env), ensureDependencies(root, platform, env)])
    expect(results.sort()).toEqual(['installed', 'unchanged'])
  })

  test('refuses a package with other bytes than the locked ones', async () => {
    const root = project()
    const env = npmEnvironment(
      (await registry(tarball({ 'package/package.json': { content: '{"name":"tiny","version":"1.0.0","evil":1}' } }))).url,
      root,
    )
    await expect(ensureDependencies(root, platform, env)).rejects.toMatchObject({ code: 'INTEGRITY_MISMATCH' })
    expect(existsSync(join(root, 'node_modules/tiny'))).toBe(false)
  })

  test('says that there is no network, also under `npm run -s`', async () => {
    const root = project()
    const env = { ...npmEnvironment(await closedRegistry(), root), npm_config_loglevel: 'silent' }
    const attempt = ensureDependencies(root, platform, env)
    await expect(attempt).rejects.toMatchObject({ code: 'NETWORK_UNREACHABLE', message: expect.stringContaining('ECONNREFUSED') })
    expect(readdirSync(join(root, 'out'))).toEqual([])
  })

  test('says so before it starts where nothing may be written', async () => {
    const root = project()
    chmodSync(root, 0o555)
    await asOrdinaryUser(() =>
      expect(ensureDependencies(root, platform)).rejects.toMatchObject({ code: 'NOT_WRITABLE', message: expect.stringContaining(root) }),
    )
    chmodSync(root, 0o755)
    expect(existsSync(join(root, 'node_modules'))).toBe(false)
  })
})

test.each([
  ['npm error code ENOTFOUND\nnpm error network request failed', 'NETWORK_UNREACHABLE'],
  ['npm error code SELF_SIGNED_CERT_IN_CHAIN', 'NETWORK_UNREACHABLE'],
  ['npm error code ENOSPC\nnpm error syscall write', 'DISK_FULL'],
  ['npm error code EACCES\nnpm error path /somewhere/node_modules', 'NOT_WRITABLE'],
  ['npm error code EINTEGRITY', 'INTEGRITY_MISMATCH'],
  ["npm error code E404\nnpm error 404  'left@9.9.9' is not in this registry", 'PACKAGE_NOT_FOUND'],
  ['npm error code EUSAGE\nnpm error Missing: a@1.0.0 from lock file', 'LOCKFILE_INCOMPLETE'],
  ['something else', 'NPM_FAILED'],
])('names the cause in %j', (output, code) => {
  const error = explainNpmFailure(output, 'npm ci')
  expect(error).toMatchObject({ code })
  expect(error.hint).not.toBe('')
})

test('npm does not see the Node that it is about to delete', () => {
  const bin = join(temporaryFolder(), 'node_modules', '.bin')
  const env = environmentWithoutBin({
    PATH: [bin, '/usr/bin'].join(process.platform === 'win32' ? ';' : ':'),
    npm_lifecycle_event: 'test',
    HOME: '/home/x',
  })
  expect(env).toEqual({ PATH: '/usr/bin', HOME: '/home/x' })
})
