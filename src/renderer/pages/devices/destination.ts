import { hostSchema } from '../../../contract/device.ts'
import type { SshConfigHost } from '../../../contract/device-link.ts'
import { parseSshAddress, type SshAddress } from './ssh-address.ts'

/** Where a connection is to go, as typed: an address, or a `Host` of ~/.ssh/config; or what is wrong with it. */
export type Destination =
  | { readonly ok: true; readonly address: SshAddress; readonly configHost: SshConfigHost | null }
  | { readonly ok: false; readonly problem: string }

/** Reads an address (see {@link parseSshAddress}) or the name of one of `hosts`, which may follow `ssh `. */
export function readDestination(text: string, hosts: readonly SshConfigHost[]): Destination {
  const typed = text.trim().replace(/^ssh\s+/, '')
  const configHost = hosts.find(({ alias }) => alias === typed)
  if (configHost) {
    // What ssh would connect to is decided at every connection; this is what stands there now.
    const host = hostSchema.safeParse(configHost.alias).success ? configHost.alias : configHost.host
    return { ok: true, address: { user: configHost.user, host, port: configHost.port }, configHost }
  }
  const parsed = parseSshAddress(text)
  if (!parsed.ok && hosts.length > 0 && typed !== '' && !typed.includes('@')) {
    return { ok: false, problem: `“${typed}” is no Host of ~/.ssh/config; type user@host for an address` }
  }
  return parsed.ok ? { ...parsed, configHost: null } : parsed
}
