import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'
import type { LoginAttempt } from './ssh-auth.ts'

/** What ssh2 reports. */
export type SshFailure = Error & { readonly level?: string; readonly code?: string | number }

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

/** The error for a host that could not be connected to. */
export function unreachable(host: string, port: number, error: NodeJS.ErrnoException): EdgesmithError {
  const [reason, hint] = socketFailures[error.code ?? ''] ?? [
    shownText(error.message),
    'Is the device switched on and in the same network?',
  ]
  return new EdgesmithError('DEVICE_UNREACHABLE', `${host}:${port} cannot be reached: ${reason}`, {
    hint,
    details: { host, port, reason: error.code ?? reason },
  })
}

/** The error for a host that a jump host did not connect to. */
export function throughFailure(jumpPlace: string, host: string, port: number, error: Error): EdgesmithError {
  const { reason } = error as { reason?: unknown }
  const details = { host, port, reason: 'jump host', through: jumpPlace }
  // RFC 4254 5.1: 1 is "administratively prohibited", 2 "connect failed".
  if (reason === 1) {
    return new EdgesmithError(
      'DEVICE_UNREACHABLE',
      `The jump host ${jumpPlace} forwards no connections, so ${host}:${port} cannot be reached`,
      {
        hint: 'Set "AllowTcpForwarding yes" in /etc/ssh/sshd_config there, and restart the server.',
        details,
      },
    )
  }
  return new EdgesmithError('DEVICE_UNREACHABLE', `${host}:${port} cannot be reached through ${jumpPlace}: ${shownText(error.message)}`, {
    hint: 'Names and addresses mean what they mean on the jump host. Is the device switched on, and does its SSH server listen on that port?',
    details,
  })
}

/** ssh2's errors before the log-in succeeded, as ours. */
export function explainFailure(
  error: SshFailure,
  { host, port }: { readonly host: string; readonly port: number },
  login: LoginAttempt,
  keyAccepted: boolean,
): EdgesmithError {
  const refused = error.level === 'client-authentication' || error.level === 'agent'
  if (refused || (keyAccepted && error.level !== 'client-timeout' && login.offered().length > 0)) {
    return login.refused(error.level === 'client-authentication' ? '' : error.message)
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

/**
 * Does the work for a jump host, and names it in what fails.
 * @param jump `user@host:port`; null for the device itself
 */
export async function byJump<T>(jump: string | null, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (jump === null || !(error instanceof EdgesmithError) || error.code === 'JOB_CANCELLED') throw error
    throw new EdgesmithError(error.code, `Jump host: ${error.message}`, { hint: error.hint, details: { ...error.details, jump } })
  }
}
