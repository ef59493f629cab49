import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { formatBytes } from '../../backend/report/quantities.ts'
import { type Device, type DeviceAuth, deviceAuthSchema, fingerprintSchema, hostSchema, userSchema } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import type { ProcedureInput } from '../../contract/procedures.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { PASSWORD_VARIABLE } from '../environment-secrets.ts'
import { setting, text } from '../option.ts'
import { readSetting } from '../schema-facts.ts'
import { factList } from '../text-table.ts'

export const deviceAddCommand = defineCommand({
  name: 'device add',
  summary: 'Connect to a board over SSH, check its host key, probe it and keep it',
  positionals: {
    name: { description: 'what to call it: a-z, 0-9 and "-"' },
    address: { description: 'user@host or user@host:port; IPv6 in brackets: user@[fe80::1]:22' },
  },
  options: {
    key: text('FILE', 'private key to log in with; left out: the running ssh-agent'),
    'password-env': text('VAR', 'environment variable that holds the password (now and whenever the device is used)'),
    'host-key': setting('SHA256:…', fingerprintSchema, 'fingerprint of the host key you expect'),
  },
  notes: [
    'An unknown host key is shown and asked about on a terminal. Elsewhere it is refused, with the command that accepts it.',
    `The password of a device that was added in the window is in the system’s key store; on the command line put it into ${PASSWORD_VARIABLE}.`,
  ],
  examples: [
    'device add pi5 pi@192.168.1.20 --key ~/.ssh/id_ed25519',
    'device add jetson nv@jetson.local:2222 --password-env JETSON_PASSWORD --host-key SHA256:…',
  ],
  run: async (context, options, { name, address }) => {
    if (options.key !== undefined && options['password-env'] !== undefined)
      throw new EdgesmithError('USAGE', 'Give --key or --password-env, not both')
    const device = await addConfirmed(context, {
      name: checked('The device name', () => readSetting(serviceNameSchema, name)),
      ...parseAddress(address),
      auth: authentication(context, options.key, options['password-env']),
      hostKey: options['host-key'],
    })
    return { document: device, text: describeDevice(device) }
  },
})

/** Adds the device; an unknown host key is confirmed by whoever sits at the terminal, or refused with the command to repeat. */
async function addConfirmed(context: CommandContext, input: ProcedureInput<'devices.add'>): Promise<Device> {
  const backend = await context.backend()
  try {
    return await backend.call('devices.add', input)
  } catch (error) {
    const fingerprint = error instanceof EdgesmithError && error.code === 'HOST_KEY_UNKNOWN' ? error.details?.fingerprint : undefined
    if (!(error instanceof EdgesmithError) || typeof fingerprint !== 'string') throw error
    const command = repeatCommand(input, fingerprint)
    if (context.json || !context.terminal.interactive) {
      throw new EdgesmithError(error.code, error.message, {
        hint: `Compare the fingerprint with the one the device prints (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then run: ${command}`,
        details: { ...error.details, command },
      })
    }
    context.terminal.note(error.message)
    context.terminal.note('Compare it with what the device itself prints: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub')
    if (!(await context.terminal.confirm('Is this the right fingerprint?'))) {
      throw new EdgesmithError(error.code, 'The host key was not confirmed; nothing was sent to the device', {
        hint: `If it is right after all: ${command}`,
        details: error.details,
      })
    }
    return backend.call('devices.add', { ...input, hostKey: fingerprint })
  }
}

function repeatCommand({ name, user, host, port, auth }: ProcedureInput<'devices.add'>, fingerprint: string): string {
  const login =
    auth.method === 'key'
      ? ` --key ${quote(auth.keyPath)}`
      : auth.method === 'password'
        ? ` --password-env ${auth.environmentVariable}`
        : ''
  const place = port === undefined || port === 22 ? host : `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `edgesmith device add ${name} ${user}@${place}${login} --host-key ${fingerprint}`
}

function quote(path: string): string {
  return /^[\w@%+=:,./~-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`
}

function authentication(context: CommandContext, key: string | undefined, variable: string | undefined): DeviceAuth {
  if (key !== undefined) {
    const keyPath = key.startsWith('~/') ? join(homedir(), key.slice(2)) : resolve(context.workingFolder, key)
    return { method: 'key', keyPath }
  }
  if (variable === undefined) return { method: 'agent' }
  const auth = deviceAuthSchema.safeParse({ method: 'password', environmentVariable: variable })
  if (!auth.success)
    throw new EdgesmithError('USAGE', `--password-env takes the name of a variable, found "${variable}"`, {
      hint: 'The password itself never goes on the command line.',
    })
  return auth.data
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
    ['host key', hostKey],
    ['board', report && (report.board ?? report.machine)],
    ['system', report && `${report.system}, kernel ${report.kernel}, ${report.architecture}`],
    ['processor', report && `${report.cpu}, ${report.cores} cores`],
    ['memory', report && `${formatBytes(report.availableMemoryBytes)} free of ${formatBytes(report.memoryBytes)}`],
    ['free disk', report && formatBytes(report.freeDiskBytes)],
    ['target', report && (report.target ?? 'none that is known')],
    ['temperature', report?.temperatureC == null ? null : `${report.temperatureC.toFixed(1)} °C`],
    ['governor', report?.governor],
    ['agent', agentVersion ?? 'pushed on first use'],
    ...(report?.checks
      .filter(({ ok }) => !ok)
      .map((check) => ['fails', `${check.name}: found ${check.found}, needed ${check.needed}`] as const) ?? []),
  ])
}
