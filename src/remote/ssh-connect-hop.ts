import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { cancelledError, throwIfCancelled, untilAborted } from '../platform/cancellation.ts'
import type { AskUser } from './ask-user.ts'
import { Deadline } from './deadline.ts'
import { type AcceptedHostKey, checkHostKey } from './host-key-check.ts'
import { type KnownHostEntry, knownKeyTypes } from './known-hosts.ts'
import { rememberHostKey } from './known-hosts-file.ts'
import { beginLogin, type PreparedLogin } from './ssh-auth.ts'
import { explainFailure, type SshFailure, unreachable } from './ssh-connect-failure.ts'
import { forwardThrough, type OpeningStream, type SshHop } from './ssh-hop.ts'

/** Everything that is needed to log in to one host. */
export interface HopPlan {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly login: PreparedLogin
  readonly knownHosts: readonly KnownHostEntry[]
  /** Fingerprint confirmed earlier. */
  readonly confirmed: string | null
  /** This and the next two: see `HostKeyPolicy`. */
  readonly expected: readonly string[]
  readonly mustBeExpected: boolean
  readonly replacesKnown: boolean
  readonly knownHostsPath: string
  readonly hashNames: boolean
  readonly ask: AskUser | undefined
  readonly connectTimeoutMs: number
  readonly keepAliveMs: number
  readonly signal: AbortSignal | undefined
}

const keepAliveTries = 3

/** Key types with the signature algorithms that go with them, in the order they are offered when nothing is on file. */
const hostKeyAlgorithms: ReadonlyMap<string, readonly ServerHostKeyAlgorithm[]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  // Not with SHA-1: every server on a system that can run the agent knows the others.
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
])

/**
 * Connects to one host, directly or through another, checks its key, logs in.
 * @throws EdgesmithError as `connectSsh`
 */
export async function openHop(plan: HopPlan, through: SshHop | null): Promise<SshHop> {
  const { host, port, knownHosts, expected, confirmed } = plan
  const onFile = knownKeyTypes(knownHosts, host, port)
  let types = [...hostKeyAlgorithms.keys()]
  types = [...types.filter((type) => onFile.includes(type)), ...types.filter((type) => !onFile.includes(type))]
  let refusal: EdgesmithError | null = null
  for (;;) {
    try {
      return await openOnce(plan, through, types)
    } catch (error) {
      if (!(error instanceof EdgesmithError)) throw error
      // A fingerprint alone does not say of which type the key is: the host may have that key beside the one it showed.
      const shown = error.details?.keyType
      const byFingerprint = expected.length > 0 || confirmed !== null
      if (!byFingerprint || !error.code.startsWith('HOST_KEY_') || error.details?.revoked) throw refusal ?? error
      refusal ??= error
      const left = types.filter((type) => type !== shown)
      if (left.length === types.length || left.length === 0) throw refusal
      types = left
    }
  }
}

async function openOnce(plan: HopPlan, through: SshHop | null, keyTypes: readonly string[]): Promise<SshHop> {
  const { host, port, signal } = plan
  throwIfCancelled(signal)
  const socket = await reach(plan, through)
  const client = new ssh2.Client()
  const gone = new AbortController()
  let closed = false
  let accepted: { readonly key: AcceptedHostKey; readonly blob: Buffer } | undefined
  let refusal: unknown
  const deadline = new Deadline(plan.connectTimeoutMs)
  const attempt = new Promise<SshHop>((resolve, reject) => {
    const context = {
      place: plan.login.place,
      ask: plan.ask ? pausing(plan.ask, deadline, gone.signal) : null,
      patiently: <T>(work: () => Promise<T>) => pausedFor(deadline, () => untilAborted(work(), gone.signal)),
      fail: (error: unknown) => {
        refusal ??= error
        reject(error)
      },
    }
    const login = beginLogin(plan.login, context)
    const fail = (error: SshFailure) => {
      // A key the agent would not sign with is one of several; what is left is tried.
      if (error.level === 'agent' && !closed) return
      reject(refusal ?? explainFailure(error, plan, login, accepted !== undefined))
    }
    deadline.onOver(() => fail(Object.assign(new Error('no answer in time'), { level: 'client-timeout' })))
    signal?.addEventListener('abort', () => context.fail(cancelledError()), { once: true, signal: gone.signal })
    client.on('error', fail)
    client.on('close', () => {
      closed = true
      fail(new Error('it closed the connection'))
    })
    client.on('change password', () => context.fail(passwordExpired(plan.login.place)))
    client.once('ready', () => {
      if (accepted)
        resolve({ client, hostKey: accepted.key, place: plan.login.place, closed: () => closed, destroy: () => socket.destroy() })
    })
    client.connect({
      sock: socket,
      username: plan.user,
      authHandler: login.handler,
      // Counted here instead, because the time a person takes to answer is not the server's.
      readyTimeout: 0,
      keepaliveInterval: plan.keepAliveMs,
      keepaliveCountMax: keepAliveTries,
      algorithms: { serverHostKey: keyTypes.flatMap((type) => hostKeyAlgorithms.get(type) ?? []) },
      hostVerifier: (blob: Buffer) => {
        try {
          accepted = { key: checkHostKey(plan, blob), blob: Buffer.from(blob) }
          return true
        } catch (error) {
          refusal = error
          return false
        }
      },
    })
  })
  try {
    return await attempt.finally(async () => {
      deadline.end()
      gone.abort()
      // A key the user stated is written down even when the log-in fails after it: the question is not asked again.
      if (accepted?.key.acceptedBy === 'expected') {
        await rememberHostKey(plan.knownHostsPath, host, port, accepted.blob, { hashed: plan.hashNames })
      }
    })
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Questions end with the connection they were for, and stop the clock. */
function pausing(ask: AskUser, deadline: Deadline, gone: AbortSignal): AskUser {
  return (question, secretKey, _signal, again) => pausedFor(deadline, () => untilAborted(ask(question, secretKey, gone, again), gone))
}

async function pausedFor<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
  deadline.pause()
  try {
    return await work()
  } finally {
    deadline.resume()
  }
}

/** Opens the byte stream to a host, so that name, route, refusal and silence can be told apart. */
async function reach({ host, port, connectTimeoutMs, signal }: HopPlan, through: SshHop | null): Promise<Duplex> {
  const deadline = new Deadline(connectTimeoutMs)
  const silence = new Promise<never>((_resolve, reject) => {
    deadline.onOver(() =>
      reject(unreachable(host, port, Object.assign(new Error(`no answer within ${connectTimeoutMs / 1000} s`), { code: 'ETIMEDOUT' }))),
    )
  })
  const opening = through ? forwardThrough(through, host, port) : openSocket(host, port)
  try {
    return await untilAborted(Promise.race([opening.stream, silence]), signal)
  } catch (error) {
    opening.giveUp()
    throw error
  } finally {
    deadline.end()
  }
}

function openSocket(host: string, port: number): OpeningStream {
  const socket = connectTcp({ host, port, noDelay: true })
  const stream = new Promise<Duplex>((resolve, reject) => {
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error) => reject(unreachable(host, port, error)))
  })
  // Asked for only while it is raced.
  stream.catch(() => undefined)
  return { stream, giveUp: () => socket.destroy() }
}

function passwordExpired(place: string): EdgesmithError {
  return new EdgesmithError('DEVICE_AUTH_FAILED', `The password of ${place} has expired`, {
    hint: 'Log in once with ssh and set a new one.',
    details: { tried: 'password', offered: ['password'] },
  })
}
