import { connect as connectTcp, type Socket } from 'node:net'
import ssh2, { type ServerHostKeyAlgorithm } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { type AcceptedHostKey, checkHostKey } from './host-key-check.ts'
import { knownKeyTypes } from './known-hosts.ts'
import { readKnownHosts, rememberHostKey, systemKnownHostsPaths } from './known-hosts-file.ts'
import { shownText } from './shown-text.ts'
import { type LoginAttempt, prepareLogin, type SshCredentials } from './ssh-auth.ts'
import { SshConnection } from './ssh-connection.ts'

/** Whom to connect to, how to log in, and what the host key has to be. */
export interface SshConnectionOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly credentials: SshCredentials
  /** Fingerprint the user confirmed when the device was added. */
  readonly hostKey: string | null
  /** Fingerprint the user gives for this connection; when the host shows it, it is written to `knownHostsPath`. */
  readonly expectedHostKey?: string | undefined
  /** Edgesmith's own known_hosts file. */
  readonly knownHostsPath: string
  /** Files of the user and the system that are only read; default: those of `ssh`. */
  readonly systemKnownHostsPaths?: readonly string[] | undefined
  /** For reaching the host, and again for handshake and log-in. */
  readonly connectTimeoutMs?: number | undefined
  /** A question to the server every so often; after three without an answer the link counts as dead. */
  readonly keepAliveMs?: number | undefined
}

const defaultConnectTimeoutMs = 10_000
/** Three of them: a dead link is noticed after 15 seconds. */
const defaultKeepAliveMs = 5000
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
 * Connects, checks the host key, logs in.
 * @throws EdgesmithError DEVICE_UNREACHABLE, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, HOST_KEY_MISMATCH, DEVICE_AUTH_FAILED, KEY_UNREADABLE
 */
export async function connectSsh(options: SshConnectionOptions): Promise<SshConnection> {
  const login = await prepareLogin(options.user, options.credentials)
  const paths = [options.knownHostsPath, ...(options.systemKnownHostsPaths ?? systemKnownHostsPaths())]
  const knownHosts = await readKnownHosts(paths)
  const onFile = knownKeyTypes(knownHosts, options.host, options.port)
  let types = [...hostKeyAlgorithms.keys()]
  types = [...types.filter((type) => onFile.includes(type)), ...types.filter((type) => !onFile.includes(type))]
  let refusal: EdgesmithError | null = null
  for (;;) {
    try {
      return await connectOnce(options, login, types, (blob) =>
        checkHostKey({ ...options, expected: options.expectedHostKey ?? null, confirmed: options.hostKey, knownHosts }, blob),
      )
    } catch (error) {
      if (!(error instanceof EdgesmithError)) throw error
      // A fingerprint alone does not say of which type the key is: the host may have that key beside the one it showed.
      const shown = error.details?.keyType
      const byFingerprint = options.expectedHostKey !== undefined || options.hostKey !== null
      if (!byFingerprint || !error.code.startsWith('HOST_KEY_') || error.details?.revoked) throw refusal ?? error
      refusal ??= error
      const left = types.filter((type) => type !== shown)
      if (left.length === types.length || left.length === 0) throw refusal
      types = left
    }
  }
}

async function connectOnce(
  options: SshConnectionOptions,
  login: LoginAttempt,
  keyTypes: readonly string[],
  check: (blob: Buffer) => AcceptedHostKey,
): Promise<SshConnection> {
  const { host, port } = options
  const socket = await reach(options)
  const client = new ssh2.Client()
  let accepted: { readonly key: AcceptedHostKey; readonly blob: Buffer } | undefined
  let refusal: unknown
  const attempt = new Promise<SshConnection>((resolve, reject) => {
    const fail = (error: Error) => reject(refusal ?? explainFailure(error, options, login, accepted !== undefined))
    client.on('error', fail)
    client.on('close', () => fail(new Error('it closed the connection')))
    client.once('ready', () => {
      // The connection listens from here on, before anything else can happen to it.
      if (accepted) resolve(new SshConnection(client, socket, `${host}:${port}`, accepted.key))
    })
    client.connect({
      sock: socket,
      username: options.user,
      authHandler: login.handler,
      readyTimeout: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
      keepaliveInterval: options.keepAliveMs ?? defaultKeepAliveMs,
      keepaliveCountMax: keepAliveTries,
      algorithms: { serverHostKey: keyTypes.flatMap((type) => hostKeyAlgorithms.get(type) ?? []) },
      hostVerifier: (blob: Buffer) => {
        try {
          accepted = { key: check(blob), blob: Buffer.from(blob) }
          return true
        } catch (error) {
          refusal = error
          return false
        }
      },
    })
  })
  try {
    return await attempt
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    // A key the user stated is written down even when the log-in fails after it: the question is not asked again.
    if (accepted?.key.acceptedBy === 'expected') await rememberHostKey(options.knownHostsPath, host, port, accepted.blob)
  }
}

/** Opens the TCP connection, so that name, route, refusal and silence can be told apart. */
async function reach(options: SshConnectionOptions): Promise<Socket> {
  const { host, port } = options
  const timeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs
  const socket = connectTcp({ host, port, noDelay: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.setTimeout(timeoutMs, () => reject(Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { code: 'ETIMEDOUT' })))
    })
  } catch (error) {
    socket.destroy()
    throw unreachable(host, port, error as NodeJS.ErrnoException)
  }
  socket.setTimeout(0)
  socket.removeAllListeners('timeout')
  return socket
}

const socketFailures: Readonly<Record<string, readonly [reason: string, hint: string]>> = {
  ENOTFOUND: ['the name is not known', 'Check the host name, or use the address.'],
  EAI_AGAIN: ['the name could not be looked up', 'Check the network of this computer, or use the address.'],
  ECONNREFUSED: [
    'the connection was refused',
    'The host is there, but no SSH server listens on that port. Is SSH enabled (Raspberry Pi: raspi-config)?',
  ],
  ETIMEDOUT: ['no answer', 'Is the device switched on and in the same network?'],
  EHOSTUNREACH: ['no route to the host', 'Is the device switched on and in the same network?'],
  ENETUNREACH: ['no route to the network', 'Check the network of this computer.'],
  ECONNRESET: ['it closed the connection', 'The SSH server may be overloaded or refuse this address. Try again in a moment.'],
}

function unreachable(host: string, port: number, error: NodeJS.ErrnoException): EdgesmithError {
  const [reason, hint] = socketFailures[error.code ?? ''] ?? [
    shownText(error.message),
    'Is the device switched on and in the same network?',
  ]
  return new EdgesmithError('DEVICE_UNREACHABLE', `${host}:${port} cannot be reached: ${reason}`, {
    hint,
    details: { host, port, reason: error.code ?? reason },
  })
}

/** ssh2's errors before the log-in succeeded, as ours. */
function explainFailure(
  error: Error & { level?: string; code?: string | number },
  options: SshConnectionOptions,
  login: LoginAttempt,
  keyAccepted: boolean,
): EdgesmithError {
  const { host, port, user } = options
  const offered = login.offered()
  if (
    error.level === 'client-authentication' ||
    error.level === 'agent' ||
    (keyAccepted && error.level !== 'client-timeout' && offered.length > 0)
  ) {
    const why = error.level === 'client-authentication' ? '' : ` (${shownText(error.message)})`
    return new EdgesmithError(
      'DEVICE_AUTH_FAILED',
      `${user}@${host}:${port} refused ${login.tried}${why}; it takes: ${offered.map((m) => shownText(m)).join(', ') || 'nothing'}`,
      {
        hint: authHint(options.credentials.method, offered),
        details: { tried: options.credentials.method, offered: [...offered] },
      },
    )
  }
  if (error.level === 'client-timeout')
    return unreachable(host, port, Object.assign(new Error('no SSH answer in time'), { code: 'handshake timeout' }))
  if (error.level === 'client-socket') return unreachable(host, port, error as NodeJS.ErrnoException)
  const reason =
    error.level === 'protocol' || error.level === 'handshake'
      ? `no SSH handshake was possible (${shownText(error.message)})`
      : shownText(error.message)
  return new EdgesmithError('DEVICE_UNREACHABLE', `${host}:${port} cannot be reached: ${reason}`, {
    hint: 'Is that the port of an SSH server, and does it allow this computer in? Its log says why it hung up.',
    details: { host, port, reason: 'handshake' },
  })
}

function authHint(method: SshCredentials['method'], offered: readonly string[]): string {
  if (method === 'password') {
    return offered.includes('password') || offered.includes('keyboard-interactive')
      ? 'Check the user name and the password.'
      : 'The device does not take passwords. Add it with a key.'
  }
  return 'Put the public key on the device: ssh-copy-id, or append it to ~/.ssh/authorized_keys there.'
}
