import { untilAborted } from '../platform/cancellation.ts'
import type { AskUser } from './ask-user.ts'
import { readKnownHosts, systemKnownHostsPaths } from './known-hosts-file.ts'
import { prepareLogin, type SshCredentials } from './ssh-auth.ts'
import { byJump, unreachable } from './ssh-connect-failure.ts'
import { type HopPlan, openHop } from './ssh-connect-hop.ts'
import { SshConnection } from './ssh-connection.ts'
import type { SshHop } from './ssh-hop.ts'

const defaultConnectTimeoutMs = 10_000
/** Three of them: a dead link is noticed after 15 seconds. */
const defaultKeepAliveMs = 5000

/** A host to go through. */
export interface JumpHop {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly logins: readonly SshCredentials[]
  /** Files that are only read; default: those of the connection. */
  readonly systemKnownHostsPaths?: readonly string[]
}

/** Whom to connect to, how to log in, and what the host key has to be. */
export interface SshConnectionOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  /** Tried in order, each once at most. */
  readonly logins: readonly SshCredentials[]
  /** Hosts to go through, the one this computer connects to first. */
  readonly jumps?: readonly JumpHop[] | undefined
  /** Fingerprint the user confirmed when the device was added. */
  readonly hostKey: string | null
  /** Fingerprints the user gives for this connection: the host has to show one of them, which is written to `knownHostsPath`. */
  readonly expectedHostKeys?: readonly string[] | undefined
  /** Fingerprints the user gives of jump hosts, in any order: one that shows one of them is accepted and written down as well. */
  readonly expectedJumpHostKeys?: readonly string[] | undefined
  /** Edgesmith's own known_hosts file. */
  readonly knownHostsPath: string
  /** Files of the user and the system that are only read; default: those of `ssh`. */
  readonly systemKnownHostsPaths?: readonly string[] | undefined
  /** Write names as hashes. */
  readonly hashNames?: boolean | undefined
  /** Asks a person; without it nobody is asked. */
  readonly ask?: AskUser | undefined
  /** For reaching each host, and again for handshake and log-in; the time a person takes to answer does not count. */
  readonly connectTimeoutMs?: number | undefined
  /** A question to the server every so often; after three without an answer the link counts as dead. */
  readonly keepAliveMs?: number | undefined
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Connects, through the jump hosts one after the other, checks every host key, logs in. An error about a jump host names it in `details.jump`.
 * @throws EdgesmithError DEVICE_UNREACHABLE, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_MISMATCH, DEVICE_AUTH_FAILED, KEY_UNREADABLE,
 *   QUESTION_UNANSWERED, JOB_CANCELLED
 */
export async function connectSsh(options: SshConnectionOptions): Promise<SshConnection> {
  const jumps = options.jumps ?? []
  const places = [...jumps, options]
  const plans: HopPlan[] = []
  for (const [index, place] of places.entries()) {
    const isJump = index < jumps.length
    plans.push(await byJump(isJump ? nameOf(place) : null, () => planHop(options, place, isJump)))
  }
  // A fingerprint that one jump host showed was meant for that one.
  const ofJumps = new Set(options.expectedJumpHostKeys ?? [])
  const opened: SshHop[] = []
  try {
    for (const [index, plan] of plans.entries()) {
      const isJump = index < jumps.length
      const expected = isJump ? [...ofJumps] : (options.expectedHostKeys ?? [])
      const hop = await byJump(isJump ? plan.login.place : null, () => openHop({ ...plan, expected }, opened.at(-1) ?? null))
      opened.push(hop)
      if (isJump) ofJumps.delete(hop.hostKey.fingerprint)
    }
    const last = opened.at(-1)
    if (!last) throw new Error('no host to connect to')
    if (last.closed()) throw unreachable(options.host, options.port, new Error('it closed the connection'))
    const { client, hostKey } = last
    // Whatever goes through a broken hop is broken: the sockets end from the first one on.
    const connection = new SshConnection(client, { destroy: () => destroyAll(opened) }, `${options.host}:${options.port}`, hostKey)
    client.once('close', () => endAll(opened.slice(0, -1)))
    return connection
  } catch (error) {
    destroyAll(opened)
    throw error
  }
}

async function planHop(options: SshConnectionOptions, place: JumpHop | SshConnectionOptions, isJump: boolean): Promise<HopPlan> {
  const systemPaths = place.systemKnownHostsPaths ?? options.systemKnownHostsPaths ?? systemKnownHostsPaths()
  const { host, port, user } = place
  return {
    host,
    port,
    user,
    login: await untilAborted(prepareLogin(nameOf(place), place.logins, options.ask), options.signal),
    knownHosts: await readKnownHosts([options.knownHostsPath, ...systemPaths]),
    confirmed: isJump ? null : options.hostKey,
    mustBeExpected: !isJump,
    replacesKnown: !isJump || options.jumps?.length === 1,
    expected: [],
    knownHostsPath: options.knownHostsPath,
    hashNames: options.hashNames ?? false,
    ask: options.ask,
    connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    keepAliveMs: options.keepAliveMs ?? defaultKeepAliveMs,
    signal: options.signal,
  }
}

function nameOf({ user, host, port }: { readonly user: string; readonly host: string; readonly port: number }): string {
  return `${user}@${host}:${port}`
}

function destroyAll(hops: readonly SshHop[]): void {
  for (const hop of hops) hop.destroy()
}

function endAll(hops: readonly SshHop[]): void {
  for (const hop of hops) hop.client.end()
}
