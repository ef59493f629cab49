import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { EdgesmithError } from '../../contract/errors.ts'
import { accessCheck } from './access.ts'
import { HttpError, type HttpErrorCode } from './http-error.ts'
import { BodyBudget, receiveJsonBody } from './request-body.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatistics } from './service-statistics.ts'

/** An answer: status and JSON body. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** An answer with headers beside those of every answer. */
interface SentAnswer extends Answer {
  readonly headers?: Readonly<Record<string, string>>
}

/** What is done at a path. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly isPrediction?: boolean
  /** `body` is the parsed JSON of a POST. @throws HttpError */
  handle(body: unknown): Answer | Promise<Answer>
}

export interface HttpServiceOptions {
  readonly token: string
  readonly routes: ReadonlyMap<string, Route>
  readonly limits: ServiceLimits
  readonly statistics: ServiceStatistics
  readonly log: ServiceLog
}

/** The HTTP side of a service: who may ask what, how much, how long. Knows nothing of models. */
export class HttpService {
  private readonly options: HttpServiceOptions
  private readonly server: Server
  private readonly access: ReturnType<typeof accessCheck>
  private readonly budget: BodyBudget
  private readonly responses = new WeakMap<Duplex, ServerResponse>()
  private draining = false

  constructor(options: HttpServiceOptions) {
    const { limits } = options
    this.options = options
    this.access = accessCheck(options.token)
    this.budget = new BodyBudget(limits.allBodiesBytes)
    this.server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.timeoutCheckMs,
      keepAliveTimeout: limits.keepAliveMs,
    })
    this.server.maxHeadersCount = limits.headerCount
    this.server.maxConnections = limits.connections
    this.server.setTimeout(limits.stalledMs)
    this.server.on('request', (request, response) => this.answer(request, response, false))
    this.server.on('checkContinue', (request, response) => this.answer(request, response, true))
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.refuseBroken(error, socket))
  }

  get isDraining(): boolean {
    return this.draining
  }

  /** Starts to listen; answers the port. @throws EdgesmithError `PORT_TAKEN`, `USAGE` (no right to that port) */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
      this.server.listen({ host, port, exclusive: true }, resolve)
    })
    return (this.server.address() as AddressInfo).port
  }

  /** Takes no more connections, finishes what is in flight (for as long as the limits say), and closes. */
  async close(): Promise<void> {
    this.draining = true
    const closed = new Promise((resolve) => this.server.close(resolve))
    const cut = setTimeout(() => this.server.closeAllConnections(), this.options.limits.drainMs)
    await closed
    clearTimeout(cut)
  }

  private answer(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { limits, routes } = this.options
    this.responses.set(request.socket, response)
    const lease = this.budget.lease()
    const { url = '' } = request
    const query = url.indexOf('?')
    const path = query < 0 ? url : url.slice(0, query)
    const route = routes.get(path)
    const isPrediction = route?.isPrediction ?? false
    const refuse = (thrown: unknown) => {
      lease.release()
      // The client is gone: nobody to answer.
      if (request.socket.destroyed) return
      const error = thrown instanceof HttpError ? thrown : this.bug(thrown, path)
      this.send(request, response, { status: error.status, body: error.body(), headers: error.headers }, isPrediction)
    }
    const reply = (answer: Answer) => {
      lease.release()
      this.send(request, response, answer, isPrediction)
    }
    const handle = (body: unknown) => {
      try {
        const answer = (route as Route).handle(body)
        if (answer instanceof Promise) answer.then(reply, refuse)
        else reply(answer)
      } catch (thrown) {
        refuse(thrown)
      }
    }
    try {
      this.access.require(request)
      requireMethod(request, path, route)
      if (route?.method !== 'POST') {
        handle(undefined)
        return
      }
      const goOn = expectsContinue ? () => response.writeContinue() : undefined
      receiveJsonBody(request, limits.bodyBytes, lease, goOn, (error, body) => (error === null ? handle(body) : refuse(error)))
    } catch (thrown) {
      refuse(thrown)
    }
  }

  private send(request: IncomingMessage, response: ServerResponse, { status, body, headers }: SentAnswer, isPrediction: boolean): void {
    this.options.statistics.answered(status, isPrediction)
    const text = JSON.stringify(body)
    if (this.draining) response.shouldKeepAlive = false
    response.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...headers,
    })
    response.end(text)
    if (request.complete) return
    // Closing at once would reset the connection under a client that still sends, before it has read the answer.
    request.resume()
    const cut = setTimeout(() => request.socket.destroy(), this.options.limits.lingerMs)
    request.once('end', () => clearTimeout(cut))
    request.socket.once('close', () => clearTimeout(cut))
  }

  /** An error that no client caused: logged whole, answered without details. */
  private bug(thrown: unknown, path: string): HttpError {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown)
    this.options.log.error('internal', { path, stack })
    return new HttpError('INTERNAL', 'The server failed to answer.', { hint: 'The log of the service has more.' })
  }

  /** What arrived is no HTTP request, or did not arrive in time: an answer by hand, as there is no response object for it. */
  private refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
    const response = this.responses.get(socket)
    const midAnswer = response?.headersSent && !response.writableFinished
    if (error.code === 'ECONNRESET' || !socket.writable || midAnswer) {
      socket.destroy()
      return
    }
    const codes: Readonly<Record<string, HttpErrorCode>> = {
      HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
      ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
    }
    const refusal = new HttpError(codes[error.code ?? ''] ?? 'BAD_REQUEST', 'The request is not complete, valid HTTP.')
    this.options.statistics.answered(refusal.status, false)
    const text = JSON.stringify(refusal.body())
    socket.end(
      `HTTP/1.1 ${refusal.status} Refused\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    )
  }
}

function requireMethod({ method }: IncomingMessage, path: string, route: Route | undefined): void {
  if (!route) throw new HttpError('NOT_FOUND', `There is nothing at ${JSON.stringify(path.slice(0, 200))}.`)
  const allowed = route.method === 'GET' ? ['GET', 'HEAD'] : ['POST']
  if (method !== undefined && allowed.includes(method)) return
  throw new HttpError('METHOD_NOT_ALLOWED', `${method} is not possible at ${path}, only ${allowed.join(' and ')}.`, {
    headers: { allow: allowed.join(', ') },
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new EdgesmithError('PORT_TAKEN', `Another program listens on ${host}:${port}.`, {
      hint: 'Choose another port, or 0 for a free one.',
    })
  }
  if (error.code === 'EACCES') {
    return new EdgesmithError('USAGE', `This user may not listen on port ${port}.`, { hint: 'Choose a port from 1024 to 65535.' })
  }
  return error
}
