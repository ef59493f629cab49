import { access } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Device, type DeviceAuth, hostSchema, userSchema } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { localUserName } from './local-user.ts'
import { shownText } from './shown-text.ts'
import type { SshCredentials } from './ssh-auth.ts'
import { resolveSshConfig, type SshSettings } from './ssh-config.ts'
import { invalid, readConfigFiles, type SshEnvironment } from './ssh-config-files.ts'
import { expandPath, expandTokens, type TokenContext } from './ssh-config-tokens.ts'
import type { JumpHop, SshConnectionOptions } from './ssh-connect.ts'
import { mostJumps, parseJumps } from './ssh-jump.ts'

type Connection = NonNullable<Device['connection']>

/** Where a device is and how to log in there; spread into the options of a connection. */
export type SshTarget = Pick<
  SshConnectionOptions,
  'host' | 'port' | 'user' | 'logins' | 'jumps' | 'hashNames' | 'systemKnownHostsPaths' | 'connectTimeoutMs' | 'keepAliveMs'
> & {
  /** Blocks of the configuration that were left out, for the log. */
  readonly warnings: readonly string[]
}

/** Secrets that are on hand, from the key store or an environment variable. */
export interface SshSecrets {
  readonly password: string | null
  readonly passphrase: string | null
}

/** Key files tried where the configuration names none, in this order. */
const usualKeys = ['id_ed25519', 'id_ecdsa', 'id_rsa']
/** A link that is asked less often than this would be noticed as dead only after minutes. */
const longestKeepAliveSeconds = 30
const longestConnectTimeoutSeconds = 120

/** The files `ssh` of this user reads. */
export function sshEnvironment(): SshEnvironment {
  const home = homedir()
  const ofSystem =
    process.platform === 'win32' ? join(process.env.ProgramData ?? 'C:\\ProgramData', 'ssh', 'ssh_config') : '/etc/ssh/ssh_config'
  return { home, configPaths: [join(home, '.ssh', 'config'), ofSystem] }
}

/**
 * Where a device is and how to log in. `~/.ssh/config` is read where the device was added as a `Host` of it, or logs in as `ssh` would, or has
 * jump hosts (each of which is looked up there, with its own ProxyJump, as OpenSSH does).
 * @throws EdgesmithError SSH_CONFIG_INVALID
 */
export async function resolveSshTarget(
  connection: Connection,
  secrets: SshSecrets,
  environment: SshEnvironment = sshEnvironment(),
): Promise<SshTarget> {
  const { configHost, auth } = connection
  const readsConfig = configHost !== null || auth.method === 'default' || connection.jump !== null
  const lookup = new TargetLookup(readsConfig ? await readConfigFiles(environment) : [], environment)
  const usesConfig = configHost !== null || auth.method === 'default'
  const place = usesConfig
    ? lookup.place(configHost ?? connection.host, {
        // A Host of the configuration decides itself; what was typed wins over it, as on the command line of ssh.
        ...(configHost === null ? { user: connection.user, port: connection.port } : {}),
        otherUser: connection.user,
        otherPort: connection.port,
      })
    : lookup.place(connection.host, { user: connection.user, port: connection.port, ignoreConfig: true })
  const explicit = explicitLogin(auth, secrets)
  const jump = connection.jump ?? place.settings.proxyJump
  const jumps = jump === null || jump.toLowerCase() === 'none' ? [] : await lookup.jumps(jump, place.tokens, explicit)
  if (place.settings.proxyCommand && connection.jump === null) throw refuseProxyCommand(place.settings.proxyCommand)
  const logins: SshCredentials[] =
    explicit === null ? await lookup.defaultLogins(place, secrets.password) : [explicit, ...secondStep(explicit)]
  return {
    host: place.host,
    port: place.port,
    user: place.user,
    logins,
    jumps,
    ...connectionSettings(place),
    warnings: [...lookup.warnings],
  }
}

/** The log-in a device was added with; null for `default`. */
function explicitLogin(auth: DeviceAuth, secrets: SshSecrets): SshCredentials | null {
  switch (auth.method) {
    case 'default':
      return null
    case 'key':
      return { method: 'key', keyPath: auth.keyPath, ...(secrets.passphrase === null ? {} : { passphrase: secrets.passphrase }) }
    case 'password':
      return secrets.password === null ? { method: 'interactive' } : { method: 'password', password: secrets.password }
    case 'agent':
      return { method: 'agent' }
    case 'interactive':
      return { method: 'interactive' }
  }
}

/** A device that wants a second proof after the first one (a one-time code) asks for it. */
function secondStep(login: SshCredentials): SshCredentials[] {
  return login.method === 'interactive' ? [] : [{ method: 'interactive', secondStepOnly: true }]
}

interface Place {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly settings: SshSettings
  readonly tokens: TokenContext
}

interface PlaceOptions {
  readonly user?: string
  readonly port?: number
  /** Used where the configuration says nothing. */
  readonly otherUser?: string
  readonly otherPort?: number
  readonly ignoreConfig?: boolean
}

/** Looks hosts up in a configuration that was read once. */
class TargetLookup {
  readonly warnings = new Set<string>()
  readonly #files: Awaited<ReturnType<typeof readConfigFiles>>
  readonly #home: string
  readonly #localUser = localUserName()

  constructor(files: Awaited<ReturnType<typeof readConfigFiles>>, { home }: SshEnvironment) {
    this.#files = files
    this.#home = home
  }

  place(alias: string, { user, port, otherUser, otherPort, ignoreConfig = false }: PlaceOptions): Place {
    const settings = resolveSshConfig(ignoreConfig ? [] : this.#files, { alias, user, port, localUser: this.#localUser })
    for (const warning of settings.warnings) this.warnings.add(warning)
    const host = checked(hostSchema, settings.hostName, `the address of ${shownText(alias)}`)
    const foundUser = checked(userSchema, settings.user ?? otherUser ?? this.#localUser, `the user for ${shownText(alias)}`)
    const foundPort = settings.port ?? otherPort ?? 22
    const tokens = { alias, host, port: foundPort, user: foundUser, localUser: this.#localUser, home: this.#home }
    return { host, port: foundPort, user: foundUser, settings, tokens }
  }

  /**
   * Jump hosts in the order they are connected. Each is looked up in the configuration; a ProxyJump of its own counts only for the first one,
   * because the others are reached through the one before.
   * @param device log-in of the device, which is tried there last
   */
  async jumps(text: string, target: TokenContext, device: SshCredentials | null): Promise<JumpHop[]> {
    const places: Place[] = []
    let left: string | null = expandTokens(text, target, '%hnpr')
    while (left !== null) {
      const found: Place[] = parseJumps(left).map(({ host, port, user }) =>
        this.place(host, { ...(user === null ? {} : { user }), ...(port === null ? {} : { port }) }),
      )
      places.unshift(...found)
      if (places.length > mostJumps) {
        throw new EdgesmithError('SSH_CONFIG_INVALID', `More than ${mostJumps} jump hosts lead to ${shownText(target.alias)}`, {
          hint: 'Does a ProxyJump of the SSH configuration lead back to the same host?',
        })
      }
      const first: Place | undefined = found[0]
      if (first?.settings.proxyCommand) throw refuseProxyCommand(first.settings.proxyCommand)
      left = first?.settings.proxyJump ? expandTokens(first.settings.proxyJump, first.tokens, '%hnpr') : null
    }
    const key = device?.method === 'key' ? [device] : []
    return Promise.all(
      places.map(async (place) => {
        const { host, port, user } = place
        const [asking, others] = split(await this.defaultLogins(place, null))
        const { systemKnownHostsPaths } = connectionSettings(place)
        return { host, port, user, logins: [...others, ...key, ...asking], ...(systemKnownHostsPaths ? { systemKnownHostsPaths } : {}) }
      }),
    )
  }

  /** As `ssh` logs in: the agent, key files, questions, in the order PreferredAuthentications gives. */
  async defaultLogins({ settings, tokens }: Place, password: string | null): Promise<SshCredentials[]> {
    const order = settings.preferredAuthentications ?? ['publickey', 'keyboard-interactive', 'password']
    const logins: SshCredentials[] = []
    const asked = order.filter((method) => method === 'keyboard-interactive' || method === 'password')
    for (const method of order) {
      if (method === 'publickey') logins.push(...(await this.#keyLogins(settings, tokens)))
      if (method === 'password' && password !== null) logins.push({ method: 'password', password })
      if (method === asked[0]) logins.push({ method: 'interactive', methods: asked })
    }
    return logins
  }

  async #keyLogins(settings: SshSettings, tokens: TokenContext): Promise<SshCredentials[]> {
    const named = settings.identityFiles.filter((path) => path.toLowerCase() !== 'none').map((path) => expandPath(path, tokens))
    const paths = settings.identityFiles.length > 0 ? named : usualKeys.map((name) => join(this.#home, '.ssh', name))
    const existing: string[] = []
    for (const path of paths) if (await exists(path)) existing.push(path)
    const socketPath = agentSocket(settings.identityAgent, tokens)
    const agent: SshCredentials[] =
      socketPath === null
        ? []
        : [{ method: 'agent', socketPath, identityFiles: paths, identitiesOnly: settings.identitiesOnly, optional: true }]
    return [...agent, ...existing.map((keyPath): SshCredentials => ({ method: 'key', keyPath, optional: true }))]
  }
}

function split(logins: readonly SshCredentials[]): [asking: SshCredentials[], others: SshCredentials[]] {
  return [logins.filter(({ method }) => method === 'interactive'), logins.filter(({ method }) => method !== 'interactive')]
}

/** Where the agent listens; null for none. Source: IdentityAgent in ssh_config(5). */
function agentSocket(identityAgent: string | null, tokens: TokenContext): string | null {
  if (identityAgent === null || identityAgent === 'SSH_AUTH_SOCK') return defaultAgentSocket()
  if (identityAgent.toLowerCase() === 'none') return null
  if (/^\$[A-Za-z_][A-Za-z0-9_]*$/.test(identityAgent)) return process.env[identityAgent.slice(1)] ?? null
  return expandPath(identityAgent, tokens)
}

function defaultAgentSocket(): string | null {
  // The agent of Windows has one fixed name.
  return process.env.SSH_AUTH_SOCK || (process.platform === 'win32' ? '\\\\.\\pipe\\openssh-ssh-agent' : null)
}

function connectionSettings({ settings, tokens }: Place): Partial<Omit<SshTarget, 'warnings'>> {
  const { userKnownHostsFiles, globalKnownHostsFiles, connectTimeoutSeconds, serverAliveIntervalSeconds, hashKnownHosts } = settings
  const files = (written: readonly string[] | null, usual: readonly string[]) =>
    written === null ? usual : written.filter((path) => path.toLowerCase() !== 'none').map((path) => expandPath(path, tokens))
  const ofUser = [join(tokens.home, '.ssh', 'known_hosts'), join(tokens.home, '.ssh', 'known_hosts2')]
  const ofSystem = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
  return {
    hashNames: hashKnownHosts,
    ...(userKnownHostsFiles === null && globalKnownHostsFiles === null
      ? {}
      : { systemKnownHostsPaths: [...files(userKnownHostsFiles, ofUser), ...files(globalKnownHostsFiles, ofSystem)] }),
    ...(connectTimeoutSeconds === null ? {} : { connectTimeoutMs: Math.min(connectTimeoutSeconds, longestConnectTimeoutSeconds) * 1000 }),
    ...(serverAliveIntervalSeconds === null ? {} : { keepAliveMs: Math.min(serverAliveIntervalSeconds, longestKeepAliveSeconds) * 1000 }),
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
}

function checked(schema: typeof hostSchema, value: string, what: string): string {
  const found = schema.safeParse(value)
  if (found.success) return found.data
  throw new EdgesmithError('SSH_CONFIG_INVALID', `"${shownText(value, 100)}" cannot be ${what}`, {
    hint: 'Correct it in the SSH configuration.',
  })
}

function refuseProxyCommand({ command, file, line }: NonNullable<SshSettings['proxyCommand']>): EdgesmithError {
  return invalid(
    file,
    line,
    `asks for ProxyCommand "${shownText(command, 100)}": Edgesmith runs no programs to reach a device`,
    'Use ProxyJump user@host:port instead, or add the device with its jump host.',
  )
}
