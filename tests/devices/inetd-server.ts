import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

/** Listens on a port of 127.0.0.1 and starts a program for every connection, as inetd does. */
export interface InetdServer {
  readonly port: number
  /** Nobody can connect any more; connections that are open stay. */
  stop(): Promise<void>
}

/**
 * The listening socket is this computer's, so the program may live in namespaces without any network: its standard input and output
 * are the connection.
 */
export async function startInetdServer([program, ...args]: [program: string, ...args: string[]]): Promise<InetdServer> {
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => undefined)
    const child = spawn(program, args, { stdio: [socket, socket, 'ignore'] })
    child.once('error', () => socket.destroy())
    // The program has its own copy of the connection now.
    child.once('spawn', () => socket.destroy())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    port: address.port,
    stop: () => new Promise((resolve) => void server.close(() => resolve())),
  }
}
