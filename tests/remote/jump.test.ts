import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runScript } from '../../src/remote/remote-script.ts'
import { connectSsh, type JumpHop, type SshConnectionOptions } from '../../src/remote/ssh-connect.ts'
import { resolveSshTarget } from '../../src/remote/ssh-target.ts'
import { type CutProxy, startCutProxy } from '../devices/cut-proxy.ts'
import { startLoginServer } from '../devices/login-server.ts'
import { freePort, makeKey, type SshDevice, startSshDevice } from '../devices/ssh-device.ts'
import { eventually } from './device-harness.ts'

let gate: SshDevice
let middle: SshDevice
let device: SshDevice
let proxy: CutProxy
let folder: string
beforeAll(async () => {
  gate = await startSshDevice()
  middle = await startSshDevice()
  device = await startSshDevice()
  proxy = await startCutProxy(gate.port)
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-jump-'))
})
afterAll(async () => {
  await proxy.stop()
  for (const started of [gate, middle, device]) await started.stop()
  rmSync(folder, { recursive: true, force: true })
})

const hop = ({ host, port, user, keyPath }: SshDevice, changes: Partial<JumpHop> = {}): JumpHop => ({
  host,
  port,
  user,
  logins: [{ method: 'key', keyPath }],
  ...changes,
})
let files = 0
function options(changes: Partial<SshConnectionOptions> = {}): SshConnectionOptions {
  return {
    ...hop(device),
    jumps: [hop(gate)],
    hostKey: device.hostFingerprint,
    expectedJumpHostKeys: [gate.hostFingerprint, middle.hostFingerprint],
    knownHostsPath: join(folder, `known-${++files}`),
    systemKnownHostsPaths: [],
    ...changes,
  }
}
const publicKey = (of: SshDevice) => readFileSync(join(of.folder, 'host_ed25519.pub'), 'utf8').split(' ').slice(0, 2).join(' ')
const placeOf = ({ user, host, port }: SshDevice) => `${user}@${host}:${port}`
/** How many log-ins a server saw. */
const loginsAt = (of: SshDevice) => of.log().match(/Accepted \w+ for/g)?.length ?? 0

describe('a device behind jump hosts', () => {
  it('is reached through two of them, whose keys are checked and written down under their own names', async () => {
    const set = options({ jumps: [hop(gate), hop(middle)] })
    const before = [gate, middle, device].map(loginsAt)
    const connection = await connectSsh(set)
    expect(connection.hostKey.fingerprint).toBe(device.hostFingerprint)
    expect((await runScript(connection, 'echo "$SSH_CONNECTION"; head -c 300000 /dev/zero | wc -c')).stdout).toMatch(
      new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${device.port}\\n300000\\n$`),
    )
    expect([gate, middle, device].map((one, index) => loginsAt(one) - (before[index] ?? 0))).toEqual([1, 1, 1])
    connection.close()
    await connection.onClose
    expect(readFileSync(set.knownHostsPath, 'utf8').split('\n')).toEqual([
      `[127.0.0.1]:${gate.port} ${publicKey(gate)}`,
      `[127.0.0.1]:${middle.port} ${publicKey(middle)}`,
      '',
    ])
    // Nothing stays connected anywhere.
    await eventually('all log-ins ended', () =>
      [gate, middle, device].every(
        (one) =>
          !one
            .log()
            .split('\n')
            .some((line) => isOpen(one, line)),
      ),
    )
    const again = await connectSsh({ ...set, expectedJumpHostKeys: [] })
    again.close()
  })

  it('asks for every unknown key in turn, and says which host it belongs to', async () => {
    const known = join(folder, 'in-turn')
    const attempt = (expectedJumpHostKeys: string[], expectedHostKeys: string[] = []) =>
      connectSsh(options({ hostKey: null, knownHostsPath: known, expectedJumpHostKeys, expectedHostKeys }))
    await expect(attempt([])).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { jump: placeOf(gate), fingerprint: gate.hostFingerprint, port: gate.port },
    })
    const second = attempt([gate.hostFingerprint])
    await expect(second).rejects.toMatchObject({
      code: 'HOST_KEY_UNKNOWN',
      details: { fingerprint: device.hostFingerprint, port: device.port },
    })
    await expect(second).rejects.not.toMatchObject({ details: { jump: expect.anything() } })
    const connection = await attempt([gate.hostFingerprint], [device.hostFingerprint])
    connection.close()
  })

  it('takes no fingerprint for another host than it was given for', async () => {
    // The device's for the jump host.
    const ofDevice = connectSsh(options({ hostKey: null, expectedHostKeys: [gate.hostFingerprint], expectedJumpHostKeys: [] }))
    await expect(ofDevice).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN', details: { jump: placeOf(gate) } })
    // A jump host's for the device, whether it was shown or not.
    const ofJumps = options({ hostKey: null, expectedJumpHostKeys: [gate.hostFingerprint, device.hostFingerprint] })
    await expect(connectSsh(ofJumps)).rejects.toMatchObject({ code: 'HOST_KEY_UNKNOWN', details: { port: device.port } })
    const wrong = options({ hostKey: null, expectedHostKeys: [middle.hostFingerprint] })
    await expect(connectSsh(wrong)).rejects.toMatchObject({ code: 'HOST_KEY_MISMATCH', details: { expected: middle.hostFingerprint } })
  })

  it('lets a fingerprint replace the key on file of the only jump host, and of none of several', async () => {
    const known = join(folder, 'replaced')
    const write = () => writeFileSync(known, `[127.0.0.1]:${gate.port} ${publicKey(device)}\n`)
    write()
    const several = options({ jumps: [hop(gate), hop(middle)], knownHostsPath: known })
    await expect(connectSsh(several)).rejects.toMatchObject({
      code: 'HOST_KEY_CHANGED',
      hint: expect.stringContaining('delete the line'),
      details: { jump: placeOf(gate), knownFingerprints: [device.hostFingerprint] },
    })
    expect(readFileSync(known, 'utf8')).toContain(publicKey(device))
    const connection = await connectSsh(options({ knownHostsPath: known }))
    connection.close()
    expect(readFileSync(known, 'utf8')).toBe(`[127.0.0.1]:${gate.port} ${publicKey(gate)}\n`)
  })

  it('leaves nothing connected when a stated key cannot be written down', async () => {
    const notFolder = join(folder, 'a-file')
    writeFileSync(notFolder, '')
    const open = new Set<Socket>()
    const relay = createServer((near) => {
      open.add(near)
      const far = connect(gate.port, '127.0.0.1').on('error', () => undefined)
      near.on('error', () => undefined).on('close', () => open.delete(near))
      near.pipe(far).pipe(near)
    })
    await once(relay.listen(0, '127.0.0.1'), 'listening')
    try {
      const { port } = relay.address() as AddressInfo
      const before = loginsAt(gate)
      const attempt = connectSsh(options({ jumps: [hop(gate, { port })], knownHostsPath: join(notFolder, 'known_hosts') }))
      await expect(attempt).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' })
      expect(loginsAt(gate)).toBe(before + 1)
      await eventually('the connection ended', () => open.size === 0)
    } finally {
      relay.close()
    }
  })

  it('refuses a jump host whose key changed, before anything is said to it', async () => {
    const server = await startLoginServer(join(gate.folder, 'host_ed25519'), () => true)
    try {
      const known = join(folder, 'changed')
      writeFileSync(known, `# by hand\n[127.0.0.1]:${server.port} ${publicKey(middle)}\n`)
      const jump = hop(gate, { port: server.port, logins: [{ method: 'password', password: 'secret' }] })
      const attempt = connectSsh(options({ jumps: [jump], systemKnownHostsPaths: [known], expectedJumpHostKeys: [] }))
      await expect(attempt).rejects.toMatchObject({
        code: 'HOST_KEY_CHANGED',
        message: expect.stringContaining(`${known}:2`),
        details: {
          jump: `${gate.user}@127.0.0.1:${server.port}`,
          fingerprint: gate.hostFingerprint,
          knownFingerprints: [middle.hostFingerprint],
        },
      })
      expect(server.attempts).toEqual([])
    } finally {
      await server.stop()
    }
  })

  it('names the jump host that refuses the log-in, or does not exist', async () => {
    const stranger = makeKey(join(folder, 'stranger'), 'ed25519')
    await expect(connectSsh(options({ jumps: [hop(gate, { logins: [{ method: 'key', keyPath: stranger }] })] }))).rejects.toMatchObject({
      code: 'DEVICE_AUTH_FAILED',
      message: expect.stringContaining(`Jump host: ${placeOf(gate)} refused the key ${stranger}`),
      details: { jump: placeOf(gate), tried: 'key' },
    })
    const port = await freePort()
    await expect(connectSsh(options({ jumps: [hop(gate, { port })] }))).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      details: { jump: `${gate.user}@127.0.0.1:${port}`, reason: 'ECONNREFUSED' },
    })
    await expect(
      connectSsh(options({ jumps: [hop(gate, { logins: [{ method: 'key', keyPath: join(folder, 'missing') }] })] })),
    ).rejects.toMatchObject({ code: 'KEY_UNREADABLE', details: { jump: placeOf(gate) } })
  })

  it('says that the device cannot be reached from the jump host, or that it forwards nothing', async () => {
    const port = await freePort()
    await expect(connectSsh(options({ port }))).rejects.toMatchObject({
      code: 'DEVICE_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${port} cannot be reached through ${placeOf(gate)}`),
      details: { through: placeOf(gate), port },
    })
    const closed = await startSshDevice({ config: ['AllowTcpForwarding no'] })
    try {
      const attempt = connectSsh(options({ jumps: [hop(closed)], expectedJumpHostKeys: [closed.hostFingerprint] }))
      await expect(attempt).rejects.toMatchObject({ code: 'DEVICE_UNREACHABLE', hint: expect.stringContaining('AllowTcpForwarding') })
    } finally {
      await closed.stop()
    }
  })

  it('is lost when the link to the jump host breaks or falls silent', async () => {
    const through = () =>
      connectSsh(options({ jumps: [hop(gate, { port: proxy.port })], keepAliveMs: 200, expectedJumpHostKeys: [gate.hostFingerprint] }))
    const cut = await through()
    proxy.cutAfter(0)
    await runScript(cut, 'echo').catch(() => undefined)
    await cut.onClose
    expect(cut.closed).toBe(true)
    proxy.cutAfter(Number.POSITIVE_INFINITY)
    const frozen = await through()
    proxy.freeze()
    await frozen.onClose
    expect(frozen.lost()).toMatchObject({ code: 'CONNECTION_LOST' })
  })

  it('is found by the configuration of ssh, jump hosts and all', async () => {
    const home = folder
    const config = join(folder, 'config')
    writeFileSync(
      config,
      `Host *
  HostName 127.0.0.1
  IdentityAgent none
Host bench-device
  Port ${device.port}
  User ${device.user}
  IdentityFile ${device.keyPath}
  ProxyJump gate,middle
  HashKnownHosts yes
Host gate
  Port ${gate.port}
  User ${gate.user}
  IdentityFile ${gate.keyPath}
Host middle
  Port ${middle.port}
  User ${middle.user}
  IdentityFile ${middle.keyPath}
`,
      { mode: 0o600 },
    )
    const target = await resolveSshTarget(
      { host: 'bench-device', port: 22, user: 'nobody', auth: { method: 'default' }, configHost: 'bench-device', jump: null },
      { password: null, passphrase: null },
      { home, configPaths: [config] },
    )
    const knownHostsPath = join(folder, 'hashed')
    const connection = await connectSsh({
      ...target,
      hostKey: null,
      expectedHostKeys: [device.hostFingerprint],
      expectedJumpHostKeys: [gate.hostFingerprint, middle.hostFingerprint],
      knownHostsPath,
      systemKnownHostsPaths: [],
    })
    expect((await runScript(connection, 'id -un')).stdout.trim()).toBe(device.password === null ? target.user : device.user)
    connection.close()
    const lines = readFileSync(knownHostsPath, 'utf8').trim().split('\n')
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['|1|', '|1|', '|1|'])
  })
})

/** Whether this line of the log is a log-in that no later line ends. */
function isOpen(of: SshDevice, line: string): boolean {
  const port = /Accepted \w+ for \S+ from \S+ port (\d+)/.exec(line)?.[1]
  if (port === undefined) return false
  return !new RegExp(`(Disconnected from|Connection closed by|Connection reset by)[^\\n]* port ${port}`).test(of.log())
}
