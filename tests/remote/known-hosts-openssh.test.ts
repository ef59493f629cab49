import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lookUpHostKey, parseKnownHosts } from '../../src/remote/known-hosts.ts'
import { rememberHostKey } from '../../src/remote/known-hosts-file.ts'
import { connectSsh, type SshConnectionOptions } from '../../src/remote/ssh-connect.ts'
import { startLoginServer } from '../devices/login-server.ts'
import { fingerprintOf, makeKey, type SshDevice, startSshDevice } from '../devices/ssh-device.ts'

/** Files written here as OpenSSH's own programs see them, and the other way around. */
const types = ['ed25519', 'ecdsa', 'rsa'] as const
let device: SshDevice
let folder: string
beforeAll(async () => {
  device = await startSshDevice({ hostKeyTypes: types })
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-openssh-'))
})
afterAll(async () => {
  await device.stop()
  rmSync(folder, { recursive: true, force: true })
})
let path: string
let files = 0
beforeEach(() => {
  path = join(folder, `known-${++files}`)
})

const publicKey = (type: string) =>
  readFileSync(join(device.folder, `host_${type}.pub`), 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ')
const blobOf = (type: string) => Buffer.from(publicKey(type).split(' ')[1] ?? '', 'base64')
const fingerprint = (type: string) => fingerprintOf(join(device.folder, `host_${type}.pub`))
const keygen = (...args: string[]) => execFileSync('ssh-keygen', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** Logs in with the real `ssh`. @throws when it refuses the host key */
function ssh(checking: 'yes' | 'accept-new', ...more: string[]): string {
  const set = [
    ...['BatchMode=yes', 'GlobalKnownHostsFile=/dev/null', 'UpdateHostKeys=no', 'IdentitiesOnly=yes'],
    ...[`StrictHostKeyChecking=${checking}`, `UserKnownHostsFile=${path}`, ...more],
  ]
  const args = ['-F', '/dev/null', ...set.flatMap((option) => ['-o', option]), '-i', device.keyPath, '-p', String(device.port)]
  return execFileSync('ssh', [...args, `${device.user}@${device.host}`, 'echo in'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim()
}
function connect(changes: Partial<SshConnectionOptions> = {}) {
  return connectSsh({
    host: device.host,
    port: device.port,
    user: device.user,
    logins: [{ method: 'key', keyPath: device.keyPath }],
    hostKey: null,
    knownHostsPath: join(folder, 'own'),
    systemKnownHostsPaths: [path],
    ...changes,
  })
}
async function acceptedBy(changes: Partial<SshConnectionOptions> = {}) {
  const connection = await connect(changes)
  connection.close()
  return connection.hostKey
}
const places: readonly (readonly [string, number, string])[] = [
  ['pi', 22, 'pi'],
  ['Pi.Local', 2222, '[pi.local]:2222'],
  ['fe80::1', 22, 'fe80::1'],
  ['fe80::1', 2022, '[fe80::1]:2022'],
]

describe('a file written here', () => {
  it.each([false, true])('lets the real ssh in with strict checking, hashed: %s', async (hashed) => {
    expect(() => ssh('yes')).toThrow('Host key verification failed')
    for (const type of types) {
      await rememberHostKey(path, device.host, device.port, blobOf(type), { hashed })
      const algorithms = type === 'rsa' ? 'rsa-sha2-512' : type === 'ecdsa' ? 'ecdsa-sha2-nistp256' : 'ssh-ed25519'
      expect(ssh('yes', `HostKeyAlgorithms=${algorithms}`)).toBe('in')
    }
    expect(ssh('yes')).toBe('in')
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(3)
    expect(readFileSync(path, 'utf8').includes('127.0.0.1')).toBe(!hashed)
  })

  it.each([false, true])('is read, searched and cleaned by ssh-keygen, hashed: %s', async (hashed) => {
    for (const [host, port] of places) await rememberHostKey(path, host, port, blobOf('ed25519'), { hashed })
    for (const [, , name] of places) {
      expect(keygen('-lF', name, '-f', path)).toContain(fingerprint('ed25519'))
    }
    expect(() => keygen('-F', 'pi.local', '-f', path)).toThrow()
    if (!hashed) keygen('-q', '-H', '-f', path)
    for (const [host, port, name] of places) {
      expect(keygen('-F', name, '-f', path)).toContain('found')
      expect(lookUpHostKey(parseKnownHosts(readFileSync(path, 'utf8'), path), host, port, blobOf('ed25519')).state).toBe('known')
    }
    keygen('-q', '-R', 'pi', '-f', path)
    const left = parseKnownHosts(readFileSync(path, 'utf8'), path)
    expect(places.map(([host, port]) => lookUpHostKey(left, host, port, blobOf('ed25519')).state)).toEqual([
      'unknown',
      'known',
      'known',
      'known',
    ])
  })

  it('keeps keys of other types and replaces the one of the same type, plain and hashed', async () => {
    const other = makeKey(join(folder, `other-${files}`), 'ed25519')
    const otherBlob = Buffer.from(readFileSync(`${other}.pub`, 'utf8').split(' ')[1] ?? '', 'base64')
    await rememberHostKey(path, device.host, device.port, otherBlob, { hashed: true })
    await rememberHostKey(path, device.host, device.port, blobOf('rsa'))
    await rememberHostKey(path, device.host, device.port, blobOf('ecdsa'), { hashed: true })
    expect(() => ssh('yes', 'HostKeyAlgorithms=ssh-ed25519')).toThrow('HOST IDENTIFICATION HAS CHANGED')
    await expect(connect({ hostKey: null })).rejects.toMatchObject({
      code: 'HOST_KEY_CHANGED',
      details: {
        fingerprint: fingerprint('ed25519'),
        knownFingerprints: [fingerprintOf(`${other}.pub`), fingerprint('rsa'), fingerprint('ecdsa')],
      },
    })
    await rememberHostKey(path, device.host, device.port, blobOf('ed25519'), { hashed: true })
    expect(ssh('yes', 'HostKeyAlgorithms=ssh-ed25519')).toBe('in')
    expect(ssh('yes', 'HostKeyAlgorithms=rsa-sha2-512')).toBe('in')
    expect(await acceptedBy()).toMatchObject({ keyType: 'ssh-ed25519', acceptedBy: 'known-hosts' })
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(3)
  })
})

describe('a file written by ssh', () => {
  it.each(['yes', 'no'])('is understood, hashed: %s', async (hashed) => {
    expect(ssh('accept-new', `HashKnownHosts=${hashed}`)).toBe('in')
    expect(readFileSync(path, 'utf8').startsWith('|1|')).toBe(hashed === 'yes')
    expect(await acceptedBy()).toEqual({ fingerprint: fingerprint('ed25519'), keyType: 'ssh-ed25519', acceptedBy: 'known-hosts' })
  })

  it('with every key of the host (UpdateHostKeys), the file of ssh-keyscan, and patterns', async () => {
    const scanned = execFileSync('ssh-keyscan', ['-p', String(device.port), device.host], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(scanned.split('\n').filter((line) => line.startsWith('['))).toHaveLength(3)
    writeFileSync(path, scanned)
    expect(ssh('yes')).toBe('in')
    expect(await acceptedBy()).toMatchObject({ acceptedBy: 'known-hosts' })
    for (const [hosts, known] of [
      [`[127.0.0.*]:${device.port}`, true],
      ['127.0.0.?', true],
      // The name without port is looked at as well, and that one is not negated.
      [`*,![127.0.0.1]:${device.port}`, true],
      [`*,![127.0.0.1]:${device.port},!127.0.0.1`, false],
      ['*,!127.0.0.1', true],
      [`[127.0.0.1]:${device.port + 1}`, false],
    ] as const) {
      writeFileSync(path, `${hosts} ${publicKey('ed25519')}\n`)
      let real = true
      try {
        ssh('yes')
      } catch {
        real = false
      }
      const ours = await acceptedBy().then(
        () => true,
        (error) => {
          expect(error).toMatchObject({ code: 'HOST_KEY_UNKNOWN' })
          return false
        },
      )
      expect([hosts, real, ours]).toEqual([hosts, known, known])
    }
  })

  it('@revoked refuses, @cert-authority says nothing about the key itself', async () => {
    writeFileSync(path, `[${device.host}]:${device.port} ${publicKey('ed25519')}\n@revoked * ${publicKey('ed25519')}\n`)
    expect(() => ssh('yes')).toThrow(/revoked/i)
    await expect(acceptedBy()).rejects.toMatchObject({
      code: 'HOST_KEY_CHANGED',
      message: expect.stringContaining(`${path}:2`),
      details: { revoked: true },
    })
    writeFileSync(path, `@cert-authority * ${publicKey('ed25519')}\n`)
    expect(() => ssh('yes')).toThrow('Host key verification failed')
    await expect(acceptedBy()).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN' })
  })
})

describe('a host key that changed', () => {
  it('is refused before the password leaves this computer, with both fingerprints and the line', async () => {
    const server = await startLoginServer(join(device.folder, 'host_ed25519'), () => true)
    try {
      const old = makeKey(join(folder, 'old'), 'ed25519')
      const oldKey = readFileSync(`${old}.pub`, 'utf8')
      writeFileSync(path, `# a line before\n[127.0.0.1]:${server.port} ${oldKey}`)
      const logins = [{ method: 'password', password: 'secret' }] as const
      const details = { fingerprint: fingerprint('ed25519'), knownFingerprints: [fingerprintOf(`${old}.pub`)] }
      const attempt = connect({ port: server.port, logins })
      await expect(attempt).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details })
      await expect(attempt).rejects.toThrow(`${path}:2`)
      // Also where it was confirmed, and where the user gives a fingerprint that is not it.
      const confirmed = connect({ port: server.port, logins, hostKey: fingerprintOf(`${old}.pub`) })
      await expect(confirmed).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details })
      await expect(confirmed).rejects.toThrow(`when it was added and in ${path}:2`)
      const stated = connect({ port: server.port, logins, expectedHostKeys: [fingerprintOf(`${old}.pub`)] })
      await expect(stated).rejects.toMatchObject({ code: 'HOST_KEY_MISMATCH' })
      await expect(connect({ port: server.port, logins, systemKnownHostsPaths: [] })).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN' })
      expect(server.attempts).toEqual([])
      const accepted = await connect({ port: server.port, logins, expectedHostKeys: [fingerprint('ed25519')] })
      accepted.close()
      expect(server.attempts).toEqual(['none'])
    } finally {
      await server.stop()
    }
  })
})
