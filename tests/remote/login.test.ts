import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runScript } from '../../src/remote/remote-script.ts'
import { connectSsh, type SshConnectionOptions } from '../../src/remote/ssh-connect.ts'
import { startLoginServer } from '../devices/login-server.ts'
import { fingerprintOf, freePort, makeKey, type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { eventually } from './device-harness.ts'

let device: SshDevice
let folder: string
beforeAll(async () => {
  device = await startSshDevice({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] })
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-login-'))
})
afterAll(async () => {
  await device.stop()
  rmSync(folder, { recursive: true, force: true })
})

function options(changes: Partial<SshConnectionOptions> = {}): SshConnectionOptions {
  return {
    host: device.host,
    port: device.port,
    user: device.user,
    logins: [{ method: 'key', keyPath: device.keyPath }],
    hostKey: device.hostFingerprint,
    knownHostsPath: join(folder, 'known_hosts'),
    systemKnownHostsPaths: [],
    ...changes,
  }
}

/** Connects, and says who is there. */
async function login(changes: Partial<SshConnectionOptions> = {}): Promise<string> {
  const connection = await connectSsh(options(changes))
  try {
    return (await runScript(connection, 'id -un')).stdout.trim()
  } finally {
    connection.close()
  }
}

const userOf = () => execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()
const expectedUser = () => (device.password === null ? userOf() : device.user)

describe('logging in', () => {
  it('works with a key', async () => {
    expect(await login()).toBe(expectedUser())
  })

  // Not as root an OpenSSH server cannot check passwords: then this tells that the device does not take any.
  it('works with a password where the server takes one, and says so where not', async () => {
    const attempt = login({ logins: [{ method: 'password', password: device.password ?? 'any' }] })
    if (device.password !== null) expect(await attempt).toBe(device.user)
    else
      await expect(attempt).rejects.toMatchObject({ code: 'DEVICE_AUTH_FAILED', hint: expect.stringContaining('does not take passwords') })
  })

  it('works with the ssh-agent, of whose keys one fits', async () => {
    const socketPath = join(folder, 'agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socketPath], { stdio: 'ignore' })
    try {
      await eventually('the agent listens', () => statSync(socketPath, { throwIfNoEntry: false }) !== undefined)
      const add = (path: string) =>
        execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socketPath }, stdio: 'pipe' })
      add(makeKey(join(folder, 'other'), 'ecdsa'))
      await expect(login({ logins: [{ method: 'agent', socketPath }] })).rejects.toMatchObject({
        code: 'DEVICE_AUTH_FAILED',
        details: { tried: 'agent', offered: expect.arrayContaining(['publickey']) },
      })
      add(device.keyPath)
      expect(await login({ logins: [{ method: 'agent', socketPath }] })).toBe(expectedUser())
      await expect(login({ logins: [{ method: 'agent', socketPath: join(folder, 'nobody.sock') }] })).rejects.toMatchObject({
        code: 'DEVICE_AUTH_FAILED',
      })
      await expect(login({ logins: [{ method: 'agent', socketPath: '' }] })).rejects.toThrow('SSH_AUTH_SOCK')
    } finally {
      agent.kill()
    }
  })

  it.each(['password', 'keyboard-interactive'] as const)('answers a server that takes only: %s', async (method) => {
    const server = await startLoginServer(join(device.folder, 'host_ed25519'), (attempt) => {
      if (attempt.method !== method) return [method]
      if (attempt.method === 'password') return attempt.password === 'sesame' || [method]
      if (attempt.method !== 'keyboard-interactive') return false
      attempt.prompt([{ prompt: 'Password: ', echo: false }], (answers) =>
        answers[0] === 'sesame' ? attempt.accept() : attempt.reject([method]),
      )
      return false
    })
    try {
      const connect = (password: string) => connectSsh(options({ port: server.port, logins: [{ method: 'password', password }] }))
      const connection = await connect('sesame')
      connection.close()
      expect(server.attempts).toEqual(['none', method])
      await expect(connect('wrong')).rejects.toMatchObject({
        code: 'DEVICE_AUTH_FAILED',
        details: { tried: 'password', offered: [method] },
      })
    } finally {
      await server.stop()
    }
  })
})

describe('refusals', () => {
  it('a wrong password or key says what was tried and what the device takes', async () => {
    const stranger = makeKey(join(folder, 'stranger'), 'ed25519')
    await expect(login({ logins: [{ method: 'key', keyPath: stranger }] })).rejects.toMatchObject({
      code: 'DEVICE_AUTH_FAILED',
      message: expect.stringContaining(stranger),
      hint: expect.stringContaining('authorized_keys'),
      details: { tried: 'key', offered: expect.arrayContaining(['publickey']) },
    })
    const offered = expect.arrayContaining([device.password === null ? 'publickey' : 'password'])
    await expect(login({ logins: [{ method: 'password', password: 'wrong' }] })).rejects.toMatchObject({
      code: 'DEVICE_AUTH_FAILED',
      details: { offered },
    })
  })

  it('an unusable key file says why', async () => {
    const encrypted = makeKey(join(folder, 'encrypted'), 'ed25519', 'secret phrase')
    const pem = join(folder, 'encrypted.pem')
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'secret phrase', '-f', pem])
    writeFileSync(join(folder, 'text'), 'not a key\n')
    writeFileSync(join(folder, 'large'), 'x'.repeat(100_000))
    for (const [name, message] of [
      ['missing', 'does not exist'],
      ['encrypted', 'protected by a passphrase'],
      ['encrypted.pem', 'protected by a passphrase'],
      ['encrypted.pub', 'is a public key'],
      ['text', 'is not a private key'],
      ['large', 'too large'],
      ['.', 'is not a file'],
    ] as const) {
      const failure = login({ logins: [{ method: 'key', keyPath: join(folder, name) }] })
      await expect(failure).rejects.toMatchObject({
        code: 'KEY_UNREADABLE',
        message: expect.stringContaining(message),
        hint: expect.any(String),
      })
    }
    expect(encrypted).toBeTruthy()
  })

  it('an unreachable device says where and why', async () => {
    const port = await freePort()
    await expect(login({ port })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', details: { port, reason: 'ECONNREFUSED' } })
    await expect(login({ port })).rejects.toThrow(`127.0.0.1:${port} cannot be reached: the connection was refused`)
    await expect(login({ host: 'no-such-host.invalid' })).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      details: { reason: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) },
    })
  })

  it('a server that says nothing, or speaks something else, or hangs up', async () => {
    const behaviours = [
      { what: 'silence', greet: () => undefined, reason: 'handshake timeout' },
      {
        what: 'another protocol',
        greet: (socket: { write(text: string): void }) => socket.write('220 mail.example.org ESMTP\r\n'.repeat(2000)),
        reason: 'handshake',
      },
      { what: 'hanging up', greet: (socket: { end(): void }) => socket.end(), reason: 'handshake' },
    ]
    for (const { greet, reason } of behaviours) {
      const server = createServer((socket) => {
        socket.on('error', () => undefined)
        greet(socket)
      }).listen(0, '127.0.0.1')
      await new Promise((resolve) => server.once('listening', resolve))
      const { port } = server.address() as { port: number }
      await expect(login({ port, connectTimeoutMs: 500 })).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', details: { reason } })
      server.close()
    }
  })
})

describe('the host key', () => {
  const types = ['ed25519', 'ecdsa', 'rsa'] as const
  const publicKey = (type: string) =>
    readFileSync(join(device.folder, `host_${type}.pub`), 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')
  const fileWith = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  it('is asked about when it was never seen, with its fingerprint', async () => {
    await expect(login({ hostKey: null })).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { fingerprint: device.hostFingerprint, keyType: 'ssh-ed25519', host: device.host, port: device.port },
    })
  })

  it('is written down once confirmed, in a private file that ssh itself accepts in strict mode', async () => {
    const knownHostsPath = join(folder, 'config', 'known_hosts')
    expect(await login({ hostKey: null, expectedHostKeys: [device.hostFingerprint], knownHostsPath })).toBe(expectedUser())
    expect(await login({ hostKey: null, knownHostsPath })).toBe(expectedUser())
    expect(statSync(knownHostsPath).mode & 0o777).toBe(0o600)
    const strict = [
      '-F',
      '/dev/null',
      '-o',
      'StrictHostKeyChecking=yes',
      '-o',
      `UserKnownHostsFile=${knownHostsPath}`,
      '-o',
      'GlobalKnownHostsFile=/dev/null',
    ]
    const args = [
      ...strict,
      '-o',
      'BatchMode=yes',
      '-i',
      device.keyPath,
      '-p',
      String(device.port),
      `${device.user}@${device.host}`,
      'id -un',
    ]
    chmodSync(device.keyPath, 0o600)
    expect(execFileSync('ssh', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()).toBe(expectedUser())
  })

  it('is not the expected one: refused, and nothing written', async () => {
    const knownHostsPath = join(folder, 'mismatch')
    const expectedHostKey = `SHA256:${'A'.repeat(43)}`
    await expect(login({ expectedHostKeys: [expectedHostKey], knownHostsPath })).rejects.toMatchObject({
      code: 'HOST_KEY_MISMATCH',
      details: { expected: expectedHostKey, fingerprint: device.hostFingerprint },
    })
    expect(statSync(knownHostsPath, { throwIfNoEntry: false })).toBeUndefined()
  })

  it.each(types)('may be stated by the fingerprint of any of the host keys: %s', async (type) => {
    const fingerprint = fingerprintOf(join(device.folder, `host_${type}.pub`))
    expect(await login({ hostKey: null, expectedHostKeys: [fingerprint], knownHostsPath: join(folder, `stated-${type}`) })).toBe(
      expectedUser(),
    )
    expect(await login({ hostKey: fingerprint })).toBe(expectedUser())
  })

  it.each(types)('is accepted from a known_hosts of ssh, also when only one type is on file: %s', async (type) => {
    const known = fileWith(`known-${type}`, `[${device.host}]:${device.port} ${publicKey(type)} comment\n`)
    expect(await login({ hostKey: null, systemKnownHostsPaths: [known] })).toBe(expectedUser())
    execFileSync('ssh-keygen', ['-q', '-H', '-f', known], { stdio: 'pipe' })
    expect(readFileSync(known, 'utf8')).toMatch(/^\|1\|/)
    expect(await login({ hostKey: null, systemKnownHostsPaths: [known] })).toBe(expectedUser())
  })

  it('that was revoked is refused, even where it is confirmed', async () => {
    const known = fileWith('revoked', `@revoked * ${publicKey('ed25519')}\n`)
    await expect(login({ systemKnownHostsPaths: [known] })).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details: { revoked: true } })
  })

  it('whose file cannot be read is not taken for unknown', async () => {
    await expect(login({ hostKey: null, systemKnownHostsPaths: [folder] })).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  })

  it('that changed is refused with both fingerprints, whoever remembered the old one', async () => {
    const old = device.hostFingerprint
    const known = fileWith('known-before', types.map((type) => `[${device.host}]:${device.port} ${publicKey(type)}\n`).join(''))
    const fresh = await device.changeHostKey()
    expect(fresh).not.toBe(old)
    const details = { fingerprint: fresh, knownFingerprints: expect.arrayContaining([old]), host: device.host, port: device.port }
    await expect(login({ hostKey: old })).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details })
    await expect(login({ hostKey: null, systemKnownHostsPaths: [known] })).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED', details })
    await expect(login({ hostKey: null, systemKnownHostsPaths: [known] })).rejects.toThrow(`${known}:1`)
    // Confirming the new one replaces the old one in the file of Edgesmith.
    const own = join(folder, 'config', 'known_hosts')
    await expect(login({ hostKey: null, knownHostsPath: own })).rejects.toMatchObject({ code: 'HOST_KEY_CHANGED' })
    expect(await login({ hostKey: null, expectedHostKeys: [fresh], knownHostsPath: own })).toBe(expectedUser())
    expect(await login({ hostKey: null, knownHostsPath: own })).toBe(expectedUser())
    expect(readFileSync(own, 'utf8').trim().split('\n')).toHaveLength(1)
  })
})
