import { createServer, type Socket } from 'node:net'
import type { Tunnel } from './device-session.ts'
import type { SshChannels } from './ssh-channels.ts'

/** Each is a channel with its buffers. A browser opens six, a load test a few hundred. */
const mostConnections = 512

/**
 * Opens a port on this computer's loopback whose connections lead to a loopback port of the device. A connection the device
 * refuses is reset. The port stays when the SSH connection breaks: the next connection to it goes through the next SSH connection.
 * @param closing closes the port
 */
export async function openTunnel(connection: SshChannels, devicePort: number, closing: AbortSignal): Promise<Tunnel> {
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true, pauseOnConnect: true, allowHalfOpen: true }, async (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    try {
      const channel = await connection.connectPort(devicePort)
      channel.on('error', () => undefined)
      if (socket.destroyed) {
        channel.destroy()
        return
      }
      channel.once('close', () => socket.destroySoon())
      socket.once('close', () => channel.destroy())
      socket.pipe(channel).pipe(socket)
      socket.resume()
    } catch {
      socket.resetAndDestroy()
    }
  })
  server.maxConnections = mostConnections
  await new Promise<void>((resolve, reject) => {
    // For good: running out of descriptors later is an error, too, and ends nothing.
    server.on('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const close = () => {
    closing.removeEventListener('abort', close)
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  // The backend may end while a tunnel is open.
  server.unref()
  closing.addEventListener('abort', close, { once: true })
  if (closing.aborted) close()
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return { port: address.port, close }
}
