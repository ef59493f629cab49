import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Device } from '../../src/contract/device.ts'
import { sshConfigHostSchema } from '../../src/contract/device-link.ts'
import { listSshConfigHosts } from '../../src/remote/ssh-config-hosts.ts'
import { resolveSshTarget } from '../../src/remote/ssh-target.ts'

const localUser = userInfo().username
let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'edgesmith-target-'))
  mkdirSync(join(home, '.ssh'), { mode: 0o700 })
  for (const name of ['id_ed25519', 'id_rsa', 'lab']) writeFileSync(join(home, '.ssh', name), 'not looked into here')
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

type Connection = NonNullable<Device['connection']>
function target(config: string, connection: Partial<Connection>, secrets: { password?: string; passphrase?: string } = {}) {
  const path = join(home, '.ssh', 'config')
  writeFileSync(path, config, { mode: 0o600 })
  return resolveSshTarget(
    { host: 'pi', port: 22, user: 'me', auth: { method: 'default' }, configHost: null, jump: null, ...connection },
    { password: null, passphrase: null, ...secrets },
    { home, configPaths: [path] },
  )
}
/** As `ssh` would log in without configuration. */
const socketPath = join('/', 'run', 'agent.sock')
const inHome = (name: string) => join(home, '.ssh', name)
const questions = { method: 'interactive', methods: ['keyboard-interactive', 'password'] }
const second = { method: 'interactive', secondStepOnly: true }
const agentFor = (identityFiles: readonly string[], identitiesOnly = false) => ({
  method: 'agent',
  socketPath,
  identityFiles,
  identitiesOnly,
  optional: true,
})
const key = (keyPath: string) => ({ method: 'key', keyPath, optional: true })
const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa']
const useAgent = `IdentityAgent ${socketPath}\n`

describe('where a device is and how to log in', () => {
  it('as it was added, without a look at the configuration', async () => {
    const config = 'Port many\nHost pi\n  HostName elsewhere\n'
    const plain = { host: 'pi', port: 22, user: 'me', jumps: [], hashNames: false }
    for (const [auth, secrets, logins] of [
      [{ method: 'agent' }, {}, [{ method: 'agent' }, second]],
      [{ method: 'interactive' }, {}, [{ method: 'interactive' }]],
      [{ method: 'password', environmentVariable: null }, { password: 'p' }, [{ method: 'password', password: 'p' }, second]],
      [{ method: 'password', environmentVariable: null }, {}, [{ method: 'interactive' }]],
      [{ method: 'key', keyPath: '/k', passphraseVariable: null }, {}, [{ method: 'key', keyPath: '/k' }, second]],
      [
        { method: 'key', keyPath: '/k', passphraseVariable: null },
        { passphrase: 's' },
        [{ method: 'key', keyPath: '/k', passphrase: 's' }, second],
      ],
    ] as const) {
      expect(await target(config, { auth }, secrets)).toEqual({ ...plain, logins, warnings: [] })
    }
  })

  it('default: the agent, the usual keys that exist, questions', async () => {
    expect(await target(useAgent, {})).toEqual({
      host: 'pi',
      port: 22,
      user: 'me',
      jumps: [],
      hashNames: false,
      logins: [agentFor(usual.map(inHome)), key(inHome('id_ed25519')), key(inHome('id_rsa')), questions],
      warnings: [],
    })
  })

  it('a Host of the configuration decides about everything', async () => {
    const config = `${useAgent}Host lab\n  HostName 10.0.0.7\n  User nvidia\n  Port 2222\n  IdentityFile ~/.ssh/%n\n  IdentityFile ~/.ssh/missing\n  IdentitiesOnly yes\n  HashKnownHosts yes\n  UserKnownHostsFile ~/known "/x y"\n  GlobalKnownHostsFile none\n  ConnectTimeout 25\n  ServerAliveInterval 600\n  PreferredAuthentications password,publickey,hostbased\n`
    expect(await target(config, { host: 'stale', port: 9, user: 'stale', configHost: 'lab' }, { password: 'p' })).toEqual({
      host: '10.0.0.7',
      port: 2222,
      user: 'nvidia',
      jumps: [],
      hashNames: true,
      systemKnownHostsPaths: [join(home, 'known'), '/x y'],
      connectTimeoutMs: 25_000,
      keepAliveMs: 30_000,
      logins: [
        { method: 'password', password: 'p' },
        { method: 'interactive', methods: ['password'] },
        agentFor([inHome('lab'), inHome('missing')], true),
        key(inHome('lab')),
      ],
      warnings: [],
    })
    expect(await target('Host lab\n', { port: 9, user: 'other', configHost: 'lab' })).toMatchObject({ host: 'lab', port: 9, user: 'other' })
  })

  it('what is typed wins over the configuration', async () => {
    const config = 'Host pi\n  HostName 10.0.0.7\n  User theirs\n  Port 7\nMatch user me\n  HashKnownHosts yes\n'
    expect(await target(config, {})).toMatchObject({ host: '10.0.0.7', port: 22, user: 'me', hashNames: true })
  })

  it('no agent where the configuration says none', async () => {
    const { logins } = await target('IdentityAgent none\nIdentityFile none\n', {})
    expect(logins).toEqual([questions])
  })

  it('jump hosts are looked up too, and lead through their own', async () => {
    const config = `IdentityAgent none
Host far
  ProxyJump me@near:2200,%r@middle
Host near
  HostName 10.0.0.1
  IdentityFile ~/.ssh/lab
  ProxyJump gate
Host middle
  ProxyJump never
Host gate
  User porter
`
    const { jumps } = await target(config, { host: 'far' })
    const keys = [key(inHome('id_ed25519')), key(inHome('id_rsa'))]
    expect(jumps).toEqual([
      { host: 'gate', port: 22, user: 'porter', logins: [...keys, questions] },
      { host: '10.0.0.1', port: 2200, user: 'me', logins: [key(inHome('lab')), questions] },
      { host: 'middle', port: 22, user: 'me', logins: [...keys, questions] },
    ])
    const auth = { method: 'key', keyPath: '/k', passphraseVariable: null } as const
    expect((await target(config, { host: 'far', jump: 'gate:23', auth })).jumps).toEqual([
      { host: 'gate', port: 23, user: 'porter', logins: [...keys, { method: 'key', keyPath: '/k' }, questions] },
    ])
    expect((await target(config, { host: 'far', jump: 'none' })).jumps).toEqual([])
    expect((await target(config, { jump: 'plain' })).jumps).toMatchObject([{ host: 'plain', port: 22, user: localUser }])
  })

  it.each([
    ['Host pi\n  ProxyCommand nc %h %p\n', {}, 'ProxyCommand "nc %h %p"'],
    ['Host pi\n  ProxyJump gate\nHost gate\n  ProxyCommand x\n', {}, 'ProxyCommand "x"'],
    ['Host pi\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n', {}, 'More than 8 jump hosts'],
    ['Host pi\n  HostName -oProxyCommand=x\n', {}, 'cannot be the address of pi'],
    ['Host pi\n  User -x\n', { configHost: 'pi' }, 'cannot be the user for pi'],
    ['IdentityFile ~nobody-here/key\n', {}, 'home directory of nobody-here'],
    [`IdentityFile $\{EDGESMITH_NOT_SET}/key\n`, {}, 'EDGESMITH_NOT_SET is not set'],
    ['IdentityFile %Z\n', {}, 'token %Z'],
    ['Host pi\n  ProxyJump a b\n', {}, 'is not a host'],
  ] as const)('refuses %j', async (config, connection, message) => {
    const attempt = target(config, connection)
    await expect(attempt).rejects.toMatchObject({ code: 'SSH_CONFIG_INVALID' })
    await expect(attempt).rejects.toThrow(message)
  })

  it('a ProxyCommand is of no importance where a jump host is given', async () => {
    expect((await target('Host pi\n  ProxyCommand x\n', { jump: 'gate' })).jumps).toHaveLength(1)
  })

  it('says what it left out', async () => {
    const { warnings } = await target('Match exec true\n  Port 1\n', { jump: 'gate' })
    expect(warnings).toEqual([expect.stringContaining('"Match exec" is left out')])
  })
})

describe('the hosts of the configuration', () => {
  it('are listed as they resolve, without patterns and what cannot be used', async () => {
    const config = join(home, 'hosts')
    const included = join(home, 'included')
    writeFileSync(included, 'Host inner\n  Port 3\n', { mode: 0o600 })
    writeFileSync(
      config,
      `Include ${included}\nHost pi jetson\n  User pi\n  IdentityFile ~/.ssh/%n\nHost lab-* !x ?\n  Port 9\nHost broken\n  Port many\nHost pi\n  HostName 10.0.0.7\n  ProxyJump a@b:22\nHost we/ird\nMatch host other\n  Port 8\n`,
      { mode: 0o600 },
    )
    const hosts = await listSshConfigHosts({ home, configPaths: [config, join(home, 'none')] })
    expect(hosts).toEqual([
      { alias: 'inner', host: 'inner', port: 3, user: localUser, identityFiles: [], proxyJump: null },
      { alias: 'pi', host: '10.0.0.7', port: 22, user: 'pi', identityFiles: [inHome('pi')], proxyJump: 'a@b:22' },
      { alias: 'jetson', host: 'jetson', port: 22, user: 'pi', identityFiles: [inHome('jetson')], proxyJump: null },
    ])
    for (const host of hosts) expect(sshConfigHostSchema.parse(host)).toEqual(host)
    expect(await listSshConfigHosts({ home, configPaths: [join(home, 'none')] })).toEqual([])
  })
})
