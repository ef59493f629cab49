import { z } from 'zod'
import { hostSchema, userSchema } from '../../../contract/device.ts'

/** Where to log in. */
export interface SshAddress {
  readonly user: string
  readonly host: string
  readonly port: number
}

/** What was typed, read: an address, or what is wrong with it. */
export type ParsedAddress = { readonly ok: true; readonly address: SshAddress } | { readonly ok: false; readonly problem: string }

const DEFAULT_PORT = 22
const portSchema = z.coerce.number().int().min(1).max(65535)

/**
 * Reads `user@host`, `user@host:port`, `user@[IPv6]:port` and a bare IPv6 address; a leading `ssh ` or `ssh://` is dropped,
 * because people paste. The user is required: there is no local user name to fall back on in a window.
 */
export function parseSshAddress(text: string): ParsedAddress {
  const typed = text.trim().replace(/^ssh(?:\s+|:\/\/)/, '')
  if (typed === '') return { ok: false, problem: 'Type user@host, for example pi@192.168.1.20' }
  const at = typed.lastIndexOf('@')
  if (at < 0) return { ok: false, problem: 'The user is missing: type user@host' }
  const user = typed.slice(0, at)
  if (!userSchema.safeParse(user).success)
    return { ok: false, problem: user === '' ? 'The user before @ is missing' : `“${user}” is not a user name` }
  const { host, port } = splitHost(typed.slice(at + 1))
  if (host === '') return { ok: false, problem: 'The host after @ is missing' }
  if (!hostSchema.safeParse(host).success) return { ok: false, problem: `“${host}” is not a host name or address` }
  if (port === undefined) return { ok: true, address: { user, host, port: DEFAULT_PORT } }
  const parsed = portSchema.safeParse(port === '' ? Number.NaN : port)
  if (!parsed.success) return { ok: false, problem: 'The port is a number from 1 to 65535' }
  return { ok: true, address: { user, host, port: parsed.data } }
}

function splitHost(text: string): { host: string; port?: string } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text)
  if (bracketed) return { host: bracketed[1] ?? '', ...(bracketed[2] === undefined ? {} : { port: bracketed[2] }) }
  // More than one colon without brackets can only be an IPv6 address.
  if (text.split(':').length > 2) return { host: text }
  const [host = '', port] = text.split(':')
  return { host, ...(port === undefined ? {} : { port }) }
}

/** A device name made from a host: its first label for names, the whole with dashes for addresses. */
export function suggestedName(host: string): string {
  const label = /^[\d.]+$|:/.test(host) ? host : (host.split('.')[0] ?? host)
  return label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
}

/** An address the way it is typed; the port only when it is not 22. */
export function formatSshAddress({ user, host, port }: SshAddress): string {
  const shown = host.includes(':') ? `[${host}]` : host
  return port === DEFAULT_PORT ? `${user}@${shown}` : `${user}@${shown}:${port}`
}
