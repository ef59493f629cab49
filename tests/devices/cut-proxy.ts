import { connect, createServer, type Socket } from 'node:net'

/** A TCP relay that breaks links on purpose. */
export interface CutProxy {
  readonly port: number
  /** Bytes that went to the device so far, whatever they were. */
  sentBytes(): number
  /** Resets all connections as soon as this many more bytes went to the device. */
  cutAfter(bytes: number): void
  /** From now on nothing passes in either direction, and nobody is told: a pulled cable. */
  freeze(): void
  /** Resets all connections now, and lets new ones through; also after {@link freeze}. */
  cut(): void
  /** Resets all connections, and new ones too as long as it is on. */
  refuse(on: boolean): void
  stop(): Promise<void>
}

/** Relays to a port of 127.0.0.1. */
export async function startCutProxy(targetPort: number): Promise<CutProxy> {
  const sockets = new Set<Socket>()
  let left = Number.POSITIVE_INFINITY
  let sent = 0
  let frozen = false
  let refusing = false
  const server = createServer((near) => {
    if (refusing) return near.resetAndDestroy()
    const far = connect(targetPort, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        if (!frozen) for (const other of [near, far]) other.destroy()
      })
    }
    near.on('data', (chunk) => {
      if (frozen) return
      left -= chunk.length
      sent += chunk.length
      if (left <= 0) for (const socket of sockets) socket.resetAndDestroy()
      else if (!far.write(chunk)) near.pause()
    })
    far.on('drain', () => near.resume())
    far.on('data', (chunk) => {
      if (!frozen) near.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP address')
  return {
    port: address.port,
    sentBytes: () => sent,
    cutAfter: (bytes) => {
      left = bytes
    },
    freeze: () => {
      frozen = true
    },
    cut: () => {
      frozen = false
      left = Number.POSITIVE_INFINITY
      for (const socket of sockets) socket.resetAndDestroy()
    },
    refuse: (on) => {
      refusing = on
      if (on) for (const socket of sockets) socket.resetAndDestroy()
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}
