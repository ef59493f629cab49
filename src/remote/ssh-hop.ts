import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import type { AcceptedHostKey } from './host-key-check.ts'
import { throughFailure } from './ssh-connect-failure.ts'

/** A host that was logged in to. */
export interface SshHop {
  readonly client: Client
  readonly hostKey: AcceptedHostKey
  /** `user@host:port`, for messages. */
  readonly place: string
  closed(): boolean
  /** Cuts the connection without a goodbye. */
  destroy(): void
}

/** A byte stream that is being opened; it fails with DEVICE_UNREACHABLE. */
export interface OpeningStream {
  readonly stream: Promise<Duplex>
  giveUp(): void
}

/** A byte stream from a hop to another host. */
export function forwardThrough(hop: SshHop, host: string, port: number): OpeningStream {
  const { client } = hop
  let wanted = true
  let onClose = () => {}
  const stream = new Promise<Duplex>((resolve, reject) => {
    const fail = (error: Error) => reject(throughFailure(hop.place, host, port, error))
    onClose = () => fail(new Error('the connection to it broke'))
    if (hop.closed()) return onClose()
    client.once('close', onClose)
    try {
      client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error) fail(error)
        else if (wanted) resolve(channel)
        else channel.destroy()
      })
    } catch (error) {
      fail(error as Error)
    }
  })
  stream.then(
    () => client.off('close', onClose),
    () => client.off('close', onClose),
  )
  return {
    stream,
    giveUp: () => {
      wanted = false
    },
  }
}
