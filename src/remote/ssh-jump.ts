import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'

/** One host of `ssh -J`, as written. */
export interface JumpSpec {
  readonly user: string | null
  readonly host: string
  readonly port: number | null
}

/** More hops than this are a mistake, or a circle. */
export const mostJumps = 8

/**
 * Reads what ProxyJump and `ssh -J` take: `[user@]host[:port]` or `ssh://[user@]host[:port]`, several with commas, an IPv6 address in brackets.
 * The first one is the one this computer connects to. Source: parse_jump of readconf.c.
 * @throws EdgesmithError SSH_CONFIG_INVALID
 */
export function parseJumps(text: string): JumpSpec[] {
  const hops = text.split(',').map((hop) => parseJump(hop.trim(), text))
  if (hops.length > mostJumps) throw badJump(text, `more than ${mostJumps} jump hosts`)
  return hops
}

function parseJump(hop: string, text: string): JumpSpec {
  const plain = hop.replace(/^ssh:\/\//i, '').replace(/\/$/, '')
  // User names may have an @ in them: the last one counts.
  const at = plain.lastIndexOf('@')
  const user = at < 0 ? null : plain.slice(0, at)
  const place = plain.slice(at + 1)
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(place)
  const colons = place.split(':').length - 1
  const [, host, port] = bracketed ?? (colons > 1 ? [place, place, undefined] : (/^([^:]+)(?::(\d+))?$/.exec(place) ?? []))
  if (!host || user === '' || /[\s[\]]/.test(host)) throw badJump(text, `"${shownText(hop, 100)}" is not a host`)
  if (port !== undefined && (port.length > 5 || Number(port) < 1 || Number(port) > 65_535))
    throw badJump(text, `${shownText(port, 20)} is not a port`)
  return { user, host, port: port === undefined ? null : Number(port) }
}

function badJump(text: string, why: string): EdgesmithError {
  return new EdgesmithError('SSH_CONFIG_INVALID', `The jump hosts "${shownText(text)}" cannot be used: ${why}`, {
    hint: 'Give user@host:port, several separated by commas, as for ssh -J.',
  })
}
