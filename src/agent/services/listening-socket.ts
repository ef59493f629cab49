import * as net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { EdgesmithError } from '../../contract/errors.ts'

/** A bound TCP socket that this process never accepts on: a child listens on its descriptor, and what waits in it outlives the child. */
export interface ListeningSocket {
  readonly fd: number
  readonly port: number
  close(): void
}

interface ServerHandle {
  readonly fd: number
  getsockname(out: { port?: number }): number
  close(): void
}
type CreateServerHandle = (address: string, port: number, addressType: 4 | 6, fd: number, flags: number) => ServerHandle | number

/**
 * Binds a socket without listening. Node has no public way; this is the one its own `cluster` takes.
 *
 * @returns null where descriptors cannot be handed to children (Windows): they listen by themselves there
 * @throws EdgesmithError `PORT_TAKEN`, `USAGE` (an address the machine does not have, or a port it may not take)
 */
export function bindSocket(host: string, port: number): ListeningSocket | null {
  const create = (net as unknown as { _createServerHandle?: CreateServerHandle })._createServerHandle
  if (process.platform === 'win32' || create === undefined) return null
  const handle = create(host, port, net.isIPv6(host) ? 6 : 4, -1, 0)
  if (typeof handle === 'number') throw bindError(handle, host, port)
  const name: { port?: number } = {}
  // Also tells of an address in use, which binding keeps to itself.
  const failure = handle.getsockname(name)
  if (failure === 0 && name.port !== undefined) return { fd: handle.fd, port: name.port, close: () => handle.close() }
  handle.close()
  throw bindError(failure, host, port)
}

/**
 * Sees whether a port can be listened on.
 * @param port 0 finds a free one
 * @returns the port
 * @throws EdgesmithError `PORT_TAKEN`, `USAGE`
 */
export function tryPort(host: string, port: number): Promise<number> {
  const server = net.createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error.errno ?? 0, host, port)))
    server.listen({ host, port, exclusive: true }, () => {
      const found = (server.address() as net.AddressInfo).port
      server.close(() => resolve(found))
    })
  })
}

function bindError(errno: number, host: string, port: number): EdgesmithError {
  const name = errno < 0 ? getSystemErrorName(errno) : String(errno)
  if (name === 'EADDRINUSE') {
    return new EdgesmithError('PORT_TAKEN', `Another program listens on port ${port} of ${host}.`, {
      hint: 'Choose another port, or none: a free one is taken then.',
      details: { port },
    })
  }
  const why = name === 'EACCES' ? 'it needs root rights' : name === 'EADDRNOTAVAIL' ? 'the machine does not have that address' : name
  return new EdgesmithError('USAGE', `The service cannot listen on port ${port} of ${host}: ${why}.`, {
    hint: 'Choose a port from 1024, and 127.0.0.1 or an address of the machine.',
    details: { host, port },
  })
}
