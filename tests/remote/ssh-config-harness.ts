import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { resolveSshConfig, type SshSettings } from '../../src/remote/ssh-config.ts'
import { readConfigFiles } from '../../src/remote/ssh-config-files.ts'

/** Who runs the tests. */
export const localUser = userInfo().username
/** Home of the tests of one file. */
export let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-ssh-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** Writes a configuration, and files it includes as `INC/name`. */
export function write(text: string, included: Readonly<Record<string, string>> = {}): string {
  const own = join(folder, String(++files))
  mkdirSync(own)
  for (const [name, content] of Object.entries(included)) {
    mkdirSync(dirname(join(own, name)), { recursive: true })
    writeFileSync(join(own, name), content.replaceAll('INC', own), { mode: 0o600 })
  }
  const path = join(own, 'config')
  writeFileSync(path, text.replaceAll('INC', own), { mode: 0o600 })
  return path
}

/** Settings of a host by a configuration file. */
export async function resolve(path: string, alias: string, given: { user?: string; port?: number } = {}): Promise<SshSettings> {
  return resolveSshConfig(await readConfigFiles({ home: folder, configPaths: [path] }), { alias, localUser, ...given })
}

const compared = [
  'hostname',
  'port',
  'user',
  'identityfile',
  'identitiesonly',
  'identityagent',
  'proxyjump',
  'hashknownhosts',
  'userknownhostsfile',
  'globalknownhostsfile',
  'connecttimeout',
  'serveraliveinterval',
  'preferredauthentications',
  'proxycommand',
]

/** What `ssh -G` says, in the form of ours. */
export function golden(path: string, alias: string, args: readonly string[] = []): Record<string, string[]> {
  const printed = execFileSync('ssh', ['-G', '-F', path, ...args, '--', alias], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const found: Record<string, string[]> = {}
  for (const line of printed.split('\n')) {
    const [, keyword = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    if (compared.includes(keyword)) found[keyword] = [...(found[keyword] ?? []), value]
  }
  return found
}

/** Ours as `ssh -G` prints it. It expands `~` in some places with the home directory of the password file. */
export function printed(settings: SshSettings, defaults: Record<string, string[]>): Record<string, string[]> {
  const { homedir } = userInfo()
  const tilde = (path: string) => path.replace(/^~\//, `${homedir}/`)
  const optional = (keyword: string, value: string | null) => (value === null ? {} : { [keyword]: [value] })
  return {
    hostname: [settings.hostName],
    port: [String(settings.port ?? 22)],
    user: [settings.user ?? localUser],
    identityfile: settings.identityFiles.length > 0 ? [...settings.identityFiles] : (defaults.identityfile ?? []),
    identitiesonly: [settings.identitiesOnly ? 'yes' : 'no'],
    ...optional('identityagent', settings.identityAgent && tilde(settings.identityAgent)),
    ...optional('proxyjump', settings.proxyJump),
    ...optional('proxycommand', settings.proxyCommand?.command ?? null),
    hashknownhosts: [settings.hashKnownHosts ? 'yes' : 'no'],
    userknownhostsfile: settings.userKnownHostsFiles
      ? [settings.userKnownHostsFiles.map(tilde).join(' ')]
      : (defaults.userknownhostsfile ?? []),
    globalknownhostsfile: settings.globalKnownHostsFiles
      ? [settings.globalKnownHostsFiles.join(' ')]
      : (defaults.globalknownhostsfile ?? []),
    connecttimeout: [settings.connectTimeoutSeconds === null ? 'none' : String(settings.connectTimeoutSeconds)],
    serveraliveinterval: [String(settings.serverAliveIntervalSeconds ?? 0)],
    ...optional('preferredauthentications', settings.preferredAuthentications?.join(',') ?? null),
  }
}
