import type { Duplex } from 'node:stream'
import type { Client, ClientChannel } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { ChannelSlots } from './channel-slots.ts'
import type { AcceptedHostKey } from './host-key-check.ts'
import type { ProcessEnd, RunningProcess } from './running-process.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'

/** OpenSSH allows 10 sessions on a connection; two stay free for what is urgent. */
const mostSessions = 8
/** A channel that was closed by us and is not confirmed by then belongs to a dead link. */
const closeGraceMs = 3000

/** One SSH connection with many channels. */
export class SshConnection implements SshChannels {
  readonly hostKey: AcceptedHostKey
  readonly place: string
  readonly #client: Client
  readonly #slots = new ChannelSlots(mostSessions)
  #closed = false
  #closeReason = ''
  readonly #onClose: Promise<void>

  /** @param client logged in, on `socket` */
  constructor(client: Client, socket: { destroy(): unknown }, place: string, hostKey: AcceptedHostKey) {
    this.#client = client
    this.place = place
    this.hostKey = hostKey
    client.on('error', (error) => {
      this.#closeReason ||= shownText(error.message)
      this.#closed = true
      // After a dead link nobody answers a polite goodbye.
      socket.destroy()
    })
    // Not closed yet, but no channel can be opened any more.
    client.once('end', () => {
      this.#closed = true
    })
    this.#onClose = new Promise((resolve) => {
      client.once('close', () => {
        this.#closed = true
        resolve()
      })
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Why it broke, as far as that was said; empty otherwise. */
  get closeReason(): string {
    return this.#closeReason
  }

  /** Settles when the connection is gone, for whatever reason. */
  get onClose(): Promise<void> {
    return this.#onClose
  }

  close(): void {
    this.#closed = true
    this.#client.end()
  }

  /** The error for work that the loss of this connection ended. */
  lost(): EdgesmithError {
    return new EdgesmithError(
      'CONNECTION_LOST',
      `The connection to ${this.place} broke${this.#closeReason ? `: ${this.#closeReason}` : ''}`,
      {
        hint: 'Check the network and the power of the device, then start again: what was sent whole is kept.',
      },
    )
  }

  async exec(command: string, urgent = false): Promise<RunningProcess> {
    for (;;) {
      const giveBack = urgent ? () => undefined : await this.#slots.take()
      try {
        const channel = await this.#open<ClientChannel>((done) => this.#client.exec(command, done))
        return this.#asProcess(channel, giveBack)
      } catch (error) {
        giveBack()
        if (this.#closed) throw this.lost()
        // The server allows fewer sessions than OpenSSH does: wait for one of ours to end.
        if (!urgent && this.#slots.taken > 0 && isOpenFailure(error)) {
          this.#slots.lower(this.#slots.taken)
          continue
        }
        throw new EdgesmithError('DEVICE_COMMAND_FAILED', `${this.place} opened no session: ${shownText((error as Error).message)}`, {
          hint: 'Does the user have a log-in shell, and does the SSH server allow commands?',
        })
      }
    }
  }

  async connectPort(port: number): Promise<Duplex> {
    try {
      return await this.#open<ClientChannel>((done) => this.#client.forwardOut('127.0.0.1', 0, '127.0.0.1', port, done))
    } catch (error) {
      if (this.#closed) throw this.lost()
      // RFC 4254 5.1: 1 is "administratively prohibited", 2 "connect failed".
      if ((error as { reason?: unknown }).reason === 1) {
        throw new EdgesmithError('DEVICE_COMMAND_FAILED', `The SSH server of ${this.place} forwards no ports`, {
          hint: 'Set "AllowTcpForwarding yes" (or "local") in /etc/ssh/sshd_config there, and restart the server.',
        })
      }
      throw new EdgesmithError('SERVICE_NOT_RUNNING', `Nothing listens on port ${port} of ${this.place}`)
    }
  }

  #open<C>(start: (done: (error: Error | undefined, channel: C) => void) => unknown): Promise<C> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.lost())
      try {
        start((error, channel) => (error ? reject(error) : resolve(channel)))
      } catch (error) {
        reject(error)
      }
    })
  }

  #asProcess(channel: ClientChannel, giveBack: () => void): RunningProcess {
    let end: ProcessEnd | null = null
    let settle = () => {}
    const ended = new Promise<ProcessEnd>((resolve) => {
      channel.once('exit', (code: number | null, signal?: string) => {
        end = { exitCode: code, signal: code === null ? (signal ?? 'unknown') : null, connectionLost: false }
      })
      settle = () => {
        giveBack()
        resolve(end ?? { exitCode: null, signal: null, connectionLost: this.#closed })
      }
      channel.once('close', settle)
    })
    // Writing to a channel that the other side closed is an error of the stream; the end of the process says more.
    channel.on('error', () => undefined)
    channel.stderr.on('error', () => undefined)
    return {
      stdin: channel.stdin,
      stdout: channel.stdout,
      stderr: channel.stderr,
      ended,
      abandon: () => {
        // Otherwise the programs would go on, and count as one of the sessions that the server allows.
        channel.signal('TERM')
        channel.close()
        setTimeout(() => {
          for (const stream of [channel, channel.stderr]) if (!stream.readableEnded) stream.push(null)
          settle()
        }, closeGraceMs).unref()
      },
    }
  }
}

function isOpenFailure(error: unknown): boolean {
  return error instanceof Error && 'reason' in error
}
