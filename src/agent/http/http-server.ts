import { type AddressInfo, createServer, type Server } from 'node:net'
import { type ConnectionOwner, HttpConnection } from './http-connection.ts'
import type { HttpFailureKind } from './http-failure.ts'
import type { HttpLimits } from './http-limits.ts'
import type { HttpRequest } from './http-request.ts'

export interface HttpServerOptions {
  readonly limits: HttpLimits
  /** Gets every request, as soon as its head is there. Must not throw. */
  request(request: HttpRequest): void
  /** The whole answer to something that is no request, closing the connection. */
  refusal(kind: HttpFailureKind): string
}

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** A listening socket that this process inherited: taken instead of opening one (Linux and macOS). */
  readonly fd?: number | undefined
}

/** While the server stops, connections are looked at this often. */
const DRAIN_CHECK_MS = 25

/**
 * HTTP/1.1 on sockets, for one kind of server: short requests on connections that stay open, answered whole. About three times as many of them for
 * the same processor time as `node:http`, which can do everything else, too.
 */
export class HttpServer implements ConnectionOwner {
  readonly limits: HttpLimits
  readonly request: (request: HttpRequest) => void
  readonly refusal: (kind: HttpFailureKind) => string
  isDraining = false
  private readonly server: Server
  private readonly connections = new Set<HttpConnection>()
  private checking: NodeJS.Timeout | undefined

  constructor({ limits, request, refusal }: HttpServerOptions) {
    this.limits = limits
    this.request = request
    this.refusal = refusal
    // The answer to what a client sent last is written although it has closed its side.
    this.server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
      const connection = new HttpConnection(socket, this)
      this.connections.add(connection)
      socket.once('close', () => this.connections.delete(connection))
    })
    this.server.maxConnections = limits.connections
  }

  get openConnections(): number {
    return this.connections.size
  }

  /** Of all answers that their clients have not taken yet. Looks at every connection. */
  get unsentBytes(): number {
    let bytes = 0
    for (const connection of this.connections) bytes += connection.unsentBytes
    return bytes
  }

  /** Starts to listen; answers the port. Rejects with the error of the system (`EADDRINUSE`, `EACCES`, …) */
  async listen({ host, port, fd }: ListenAddress): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(fd === undefined ? { host, port, exclusive: true } : { fd }, () => {
        this.server.off('error', reject)
        resolve()
      })
    })
    // Accepting can fail for want of file descriptors; those that are open are served on.
    this.server.on('error', () => {})
    this.checkEvery(this.limits.timeoutCheckMs)
    return (this.server.address() as AddressInfo).port
  }

  /** Takes no more connections, finishes what is in flight (for as long as the limits say), and closes. */
  async close(): Promise<void> {
    this.isDraining = true
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.checkEvery(DRAIN_CHECK_MS)
    const cut = setTimeout(() => {
      for (const connection of this.connections) connection.destroy()
    }, this.limits.drainMs)
    await closed
    clearTimeout(cut)
    clearInterval(this.checking)
  }

  private checkEvery(ms: number): void {
    clearInterval(this.checking)
    this.checking = setInterval(() => {
      const now = performance.now()
      for (const connection of this.connections) connection.checkTime(now)
    }, ms).unref()
  }
}
