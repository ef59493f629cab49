import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { formatBytes } from '../../backend/report/quantities.ts'
import {
  type Device,
  type DeviceAuth,
  deviceAuthSchema,
  fingerprintSchema,
  hostSchema,
  jumpSchema,
  userSchema,
} from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import type { ProcedureInput } from '../../contract/procedures.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { PASSWORD_VARIABLE } from '../environment-secrets.ts'
import { flag, repeated, setting, text } from '../option.ts'
import { readSetting } from '../schema-facts.ts'
import { factList } from '../text-table.ts'

export const deviceAddCommand = defineCommand({
  name: 'device add',
  summary: 'Connect to a board over SSH, check its host key, probe it and keep it',
  positionals: {
    name: { description: 'what to call it: a-z, 0-9 and "-"' },
    address: { description: 'user@host or user@host:port (IPv6 in brackets: user@[fe80::1]:22), or a Host of ~/.ssh/config' },
  },
  options: {
    key: text('FILE', 'private key to log in with; left out: as ssh does it (ssh-agent, the usual key files, then questions)'),
    'passphrase-env': text('VAR', 'environment variable that holds the passphrase of the key'),
    'password-env': text('VAR', 'environment variable that holds the password (now and whenever the device is used)'),
    agent: flag('log in with the keys of the ssh-agent only'),
    interactive: flag('answer what the device asks at every log-in (one-time codes)'),
    jump: setting('HOSTS', jumpSchema, 'hosts to go through, as for ssh -J: user@host:port, several with commas'),
    'host-key': setting('SHA256:…', fingerprintSchema, 'fingerprint of the host key you expect'),
    'jump-host-key': repeated(setting('SHA256:…', fingerprintSchema, 'fingerprint you expect of a jump host')),
  },
  notes: [
    'An unknown host key is shown and asked about on a terminal. Elsewhere it is refused, with the command that accepts it.',
    `The password of a device that was added in the window is in the system’s key store; on the command line put it into ${PASSWORD_VARIABLE}.`,
    'A Host of ~/.ssh/config brings its own HostName, Port, User, IdentityFile and ProxyJump; they are read again at every connection.',
  ],
  examples: [
    'device add pi5 pi@192.168.1.20 --key ~/.ssh/id_ed25519',
    'device add jetson nv@jetson.local:2222 --password-env JETSON_PASSWORD --host-key SHA256:…',
    'device add lab board-7 --jump admin@gateway.example',
  ],
  run: async (context, options, { name, address }) => {
    const device = await addConfirmed(context, {
      name: checked('The device name', () => readSetting(serviceNameSchema, name)),
      ...(await readAddress(context, address)),
      auth: authentication(context, options),
      jump: options.jump,
      hostKey: options['host-key'],
      jumpHostKeys: [...options['jump-host-key']],
    })
    return { document: device, text: describeDevice(device) }
  },
})

/** An unknown host key is asked about once for the device and once for each jump host. */
const MOST_HOPS = 9

/** Adds the device; an unknown host key is confirmed by whoever sits at the terminal, or refused with the command to repeat. */
async function addConfirmed(context: CommandContext, input: ProcedureInput<'devices.add'>): Promise<Device> {
  const backend = await context.backend()
  let asked = input
  for (let hop = 0; ; hop++) {
    try {
      return await backend.call('devices.add', asked)
    } catch (error) {
      if (hop === MOST_HOPS) throw error
      asked = await confirmed(context, asked, error)
    }
  }
}

/** The same with the fingerprint of an unknown host key that somebody confirmed. @throws the error itself when it is another one */
async function confirmed(
  context: CommandContext,
  input: ProcedureInput<'devices.add'>,
  error: unknown,
): Promise<ProcedureInput<'devices.add'>> {
  const fingerprint = error instanceof EdgesmithError && error.code === 'HOST_KEY_UNKNOWN' ? error.details?.fingerprint : undefined
  if (!(error instanceof EdgesmithError) || typeof fingerprint !== 'string') throw error
  const isJump = error.details?.jump !== undefined
  const next = isJump ? { ...input, jumpHostKeys: [...(input.jumpHostKeys ?? []), fingerprint] } : { ...input, hostKey: fingerprint }
  const command = repeatCommand(next)
  if (context.json || !context.terminal.interactive) {
    throw new EdgesmithError(error.code, error.message, {
      hint: `Compare the fingerprint with the one the device prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then run: ${command}`,
      details: { ...error.details, command },
    })
  }
  context.terminal.note(error.message)
  context.terminal.note('Compare it with what the device itself prints: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub')
  if (await context.terminal.confirm('Is this the right fingerprint?')) return next
  throw new EdgesmithError(error.code, 'The host key was not confirmed; nothing was sent to the device', {
    hint: `If it is right after all: ${command}`,
    details: error.details,
  })
}

function repeatCommand(input: ProcedureInput<'devices.add'>): string {
  const { name, user, host, port, auth, configHost, jump, hostKey, jumpHostKeys = [] } = input
  const bare = port === undefined || port === 22 ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
  return [
    `edgesmith device add ${name} ${configHost ?? `${user}@${bare}`}`,
    ...loginOptions(auth),
    ...(jump === undefined ? [] : [`--jump ${quote(jump)}`]),
    ...(hostKey === undefined ? [] : [`--host-key ${hostKey}`]),
    ...jumpHostKeys.map((fingerprint) => `--jump-host-key ${fingerprint}`),
  ].join(' ')
}

function loginOptions(auth: ProcedureInput<'devices.add'>['auth']): string[] {
  switch (auth.method) {
    case 'default':
      return []
    case 'key':
      return [`--key ${quote(auth.keyPath)}`, ...(auth.passphraseVariable ? [`--passphrase-env ${auth.passphraseVariable}`] : [])]
    case 'password':
      return [`--password-env ${auth.environmentVariable}`]
    case 'agent':
      return ['--agent']
    case 'interactive':
      return ['--interactive']
  }
}

function quote(path: string): string {
  return /^[\w@%+=:,./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

function authentication(
  context: CommandContext,
  options: {
    readonly key: string | undefined
    readonly 'passphrase-env': string | undefined
    readonly 'password-env': string | undefined
    readonly agent: boolean
    readonly interactive: boolean
  },
): DeviceAuth {
  const { key, 'passphrase-env': passphraseVariable, 'password-env': variable, agent, interactive } = options
  const ways = [
    key !== undefined && '--key',
    variable !== undefined && '--password-env',
    agent && '--agent',
    interactive && '--interactive',
  ]
  const given = ways.filter((way) => way !== false)
  if (given.length > 1) throw new EdgesmithError('USAGE', `There is one way to log in: give ${given.join(' or ')}, not both`)
  if (passphraseVariable !== undefined && key === undefined)
    throw new EdgesmithError('USAGE', '--passphrase-env belongs to the key that --key names')
  if (agent) return { method: 'agent' }
  if (interactive) return { method: 'interactive' }
  if (key !== undefined) {
    const keyPath = key.startsWith('~/') ? join(homedir(), key.slice(2)) : resolve(context.workingFolder, key)
    return variableAuth('--passphrase-env', { method: 'key', keyPath, passphraseVariable: passphraseVariable ?? null })
  }
  if (variable === undefined) return { method: 'default' }
  return variableAuth('--password-env', { method: 'password', environmentVariable: variable })
}

function variableAuth(option: string, auth: DeviceAuth): DeviceAuth {
  const checked = deviceAuthSchema.safeParse(auth)
  if (checked.success) return checked.data
  // What was given instead may be the secret itself: it is not repeated.
  throw new EdgesmithError('USAGE', `${option} takes the name of an environment variable: letters, digits and "_", no digit first`, {
    hint: 'The secret itself never goes on the command line.',
  })
}

/** An address with a user is taken as it is; a bare word is a Host of the SSH configuration. */
async function readAddress(
  context: CommandContext,
  address: string,
): Promise<Pick<ProcedureInput<'devices.add'>, 'host' | 'port' | 'user' | 'configHost'>> {
  if (address.includes('@')) return parseAddress(address)
  const hosts = await (await context.backend()).call('devices.hosts', {})
  const known = hosts.find(({ alias }) => alias === address)
  if (known) return { host: known.host, port: known.port, user: known.user, configHost: known.alias }
  const names = hosts.map(({ alias }) => alias)
  throw new EdgesmithError('USAGE', `The address must be user@host or user@host:port, or a Host of ~/.ssh/config; found "${address}"`, {
    hint: names.length > 0 ? `Hosts there: ${names.slice(0, 20).join(', ')}` : 'There is no Host in ~/.ssh/config.',
  })
}

/** Splits `user@host`, `user@host:port`, `user@[v6]:port`; a bare IPv6 address has more than one colon and no port. */
function parseAddress(address: string): { user: string; host: string; port: number | undefined } {
  const match = /^([^@]+)@(?:\[([^\]]+)\]|([^:[\]]+)|([^[\]]*:[^[\]]*:[^[\]]*))(?::(\d+))?$/.exec(address)
  if (!match) throw new EdgesmithError('USAGE', `The address must be user@host or user@host:port, found "${address}"`)
  const [, user = '', bracketed, plain, bare, portText] = match
  const port = portText === undefined ? undefined : Number(portText)
  if (port !== undefined && (port < 1 || port > 65535))
    throw new EdgesmithError('USAGE', `The port must be from 1 to 65535, found "${portText}"`)
  return {
    user: checked('The user name', () => readSetting(userSchema, user)),
    host: checked('The host name', () => readSetting(hostSchema, bracketed ?? plain ?? bare ?? '')),
    port,
  }
}

function checked<T>(what: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new EdgesmithError('USAGE', `${what} ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A device and what was found on it, for people. */
export function describeDevice({ name, connection, hostKey, report, agentVersion }: Device): string {
  return factList([
    ['device', name],
    ['address', connection && `${connection.user}@${connection.host}:${connection.port}`],
    ['ssh host', connection?.configHost],
    ['through', connection?.jump],
    ['host key', hostKey],
    ['board', report && (report.board ?? report.machine)],
    ['system', report && `${report.system}, kernel ${report.kernel}, ${report.architecture}`],
    ['processor', report && `${report.cpu}, ${report.cores} cores`],
    ['memory', report && `${formatBytes(report.availableMemoryBytes)} free of ${formatBytes(report.memoryBytes)}`],
    ['free disk', report && formatBytes(report.freeDiskBytes)],
    ['target', report && (report.target ?? 'none that is known')],
    ['temperature', report?.temperatureC == null ? null : `${report.temperatureC.toFixed(1)} °C`],
    ['governor', report?.governor],
    ['power mode', report?.powerMode?.name],
    ['JetPack', report?.jetPack],
    ['TensorRT', report?.tensorRt],
    ['power', report?.powerRails.map(({ name, watts }) => `${name}${watts === null ? '' : ` ${watts.toFixed(2)} W`}`).join(', ') || null],
    ['sudo', report?.sudo],
    ['linger', report?.linger == null ? null : report.linger ? 'on' : 'off: services end with the last log-in of a user without it'],
    ['agent', agentVersion ?? 'pushed on first use'],
    ...(report?.checks
      .filter(({ ok }) => !ok)
      .map((check) => ['fails', `${check.name}: found ${check.found}, needed ${check.needed}`] as const) ?? []),
  ])
}
