import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { EdgesmithError } from '../../contract/errors.ts'
import { type AccessCheck, type AccessRules, accessCheck } from './access.ts'
import { accessLog } from './access-log.ts'
import { Exchange, type RequestContext } from './exchange.ts'
import { type Answer, encodeBody, refusal } from './http-answer.ts'
import { HttpError, type HttpErrorCode } from './http-error.ts'
import { BodyBudget, type BodyFormat, jsonBody, receiveBody } from './request-body.ts'
import { requestIds } from './request-id.ts'
import type { ServiceLimits } from './service-limits.ts'
import type { ServiceLog } from './service-log.ts'
import type { ServiceStatistics } from './service-statistics.ts'
import { WorkInFlight } from './work-in-flight.ts'

/** What is done at a path. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Counts against the limits of rate and concurrency, and has a deadline. */
  readonly isPrediction?: boolean
  /** Needs no token: says nothing of model and machine. */
  readonly isPublic?: boolean
  /** What the body of a POST is; JSON where left out. */
  readonly body?: BodyFormat
  /** `body` is the decoded body of a POST. @throws HttpError */
  handle(body: unknown, context: RequestContext): Answer | Promise<Answer>
}

export interface HttpServiceOptions {
  readonly access: AccessRules
  readonly routes: ReadonlyMap<string, Route>
  readonly limits: ServiceLimits
  /** Predictions that are worked on together. */
  readonly concurrency: number
  /** Longest time from a whole body to its answer. */
  readonly deadlineMs: number
  readonly accessLogShare: number
  readonly statistics: ServiceStatistics
  readonly log: ServiceLog
}

/** The HTTP side of a service: who may ask what, how much, how long. Knows nothing of models. */
export class HttpService {
  private readonly options: HttpServiceOptions
  private readonly server: Server
  private readonly access: AccessCheck
  private readonly budget: BodyBudget
  private readonly inFlight: WorkInFlight
  private readonly requestId = requestIds()
  private readonly logAccess: ReturnType<typeof accessLog>
  private readonly responses = new WeakMap<Duplex, ServerResponse>()
  private draining = false
  private connections = 0

  constructor(options: HttpServiceOptions) {
    const { limits, log } = options
    this.options = options
    this.access = accessCheck(options.access)
    this.budget = new BodyBudget(limits.allBodiesBytes)
    this.inFlight = new WorkInFlight(options.concurrency)
    this.logAccess = accessLog(log, options.accessLogShare)
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
    this.server.on('connection', (socket) => {
      this.connections++
      socket.once('close', () => this.connections--)
    })
    this.server.on('request', (request, response) => this.answer(request, response, false))
    this.server.on('checkContinue', (request, response) => this.answer(request, response, true))
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.refuseBroken(error, socket))
  }

  get openConnections(): number {
    return this.connections
  }

  /** Predictions being worked on, those that wait included. */
  get predictionsInFlight(): number {
    return this.inFlight.size
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
    const { url = '', headers } = request
    const query = url.indexOf('?')
    const path = query < 0 ? url : url.slice(0, query)
    const route = routes.get(path)
    const id = this.requestId(headers['x-request-id'] as string | undefined)
    const exchange = new Exchange({ request, response }, path, route, id, this.budget.lease())
    try {
      this.access.requireHost(request)
      if (!route?.isPublic) exchange.client = this.access.requireClient(request)
      requireMethod(request, path, route)
      if (route?.method !== 'POST') {
        this.handle(exchange, undefined)
        return
      }
      const goOn = expectsContinue ? () => response.writeContinue() : undefined
      receiveBody(request, route.body ?? jsonBody, limits.bodyBytes, exchange.lease, goOn, (error, body) =>
        error === null ? this.handle(exchange, body) : this.refuse(exchange, error),
      )
    } catch (thrown) {
      this.refuse(exchange, thrown)
    }
  }

  private handle(exchange: Exchange, body: unknown): void {
    try {
      const route = exchange.route as Route
      if (route.isPrediction) this.admit(exchange)
      const answer = route.handle(body, exchange)
      if (!(answer instanceof Promise)) this.send(exchange, answer)
      else
        answer.then(
          (ready) => this.send(exchange, ready),
          (thrown) => this.refuse(exchange, thrown),
        )
    } catch (thrown) {
      this.refuse(exchange, thrown)
    }
  }

  /** Takes a prediction in, within the limits. @throws HttpError `RATE_LIMITED`, `OVERLOADED`, `INVALID_REQUEST` (wrong time-out) */
  private admit(exchange: Exchange): void {
    const now = performance.now()
    const waitSeconds = exchange.client?.bucket?.take(now) ?? 0
    if (waitSeconds > 0) {
      throw new HttpError('RATE_LIMITED', `"${exchange.client?.name}" asks more often than it may.`, {
        headers: { 'retry-after': String(Math.ceil(waitSeconds)) },
      })
    }
    exchange.deadlineMs = now + this.timeoutOf(exchange.request)
    exchange.expire = () => this.refuse(exchange, new HttpError('DEADLINE_EXCEEDED', 'The answer was not ready in time.'))
    if (this.inFlight.add(exchange)) return
    throw new HttpError('OVERLOADED', `More than ${this.options.concurrency} predictions are being worked on.`, {
      headers: { 'retry-after': '1' },
    })
  }

  private timeoutOf({ headers }: IncomingMessage): number {
    const { deadlineMs } = this.options
    const asked = headers['x-request-timeout-ms'] as string | undefined
    if (asked === undefined) return deadlineMs
    if (/^[1-9]\d{0,8}$/.test(asked)) return Math.min(Number(asked), deadlineMs)
    throw new HttpError('INVALID_REQUEST', 'The header x-request-timeout-ms must be a whole number of milliseconds from 1.')
  }

  private refuse(exchange: Exchange, thrown: unknown): void {
    const { path, request } = exchange
    // The client is gone: nobody to answer.
    if (request.socket.destroyed) this.finish(exchange)
    else this.send(exchange, refusal(thrown instanceof HttpError ? thrown : this.bug(thrown, path), path))
  }

  /** Gives back what the request held. False when that was done before. */
  private finish(exchange: Exchange): boolean {
    if (exchange.answered) return false
    exchange.answered = true
    exchange.lease.release()
    this.inFlight.remove(exchange)
    return true
  }

  private send(exchange: Exchange, answer: Answer): void {
    if (!this.finish(exchange)) return
    const { request, response, requestId } = exchange
    const body = encodeBody(answer)
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    if (this.draining) response.shouldKeepAlive = false
    response.writeHead(answer.status, {
      'content-type': answer.contentType ?? 'application/json; charset=utf-8',
      'content-length': bytes,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
      ...answer.headers,
    })
    response.end(body)
    this.record(exchange, answer.status, bytes)
    answer.sent?.()
    if (request.complete) return
    // Closing at once would reset the connection under a client that still sends, before it has read the answer.
    request.resume()
    const cut = setTimeout(() => request.socket.destroy(), this.options.limits.lingerMs)
    request.once('end', () => clearTimeout(cut))
    request.socket.once('close', () => clearTimeout(cut))
  }

  private record({ client, path, request, requestId, route, startedAt }: Exchange, status: number, bytes: number): void {
    const durationMs = performance.now() - startedAt
    this.options.statistics.answered(status, route?.isPrediction ?? false, durationMs)
    this.logAccess({ requestId, client: client?.name ?? null, method: request.method ?? '', path, status, durationMs, bytes })
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
    const broken = new HttpError(codes[error.code ?? ''] ?? 'BAD_REQUEST', 'The request is not complete, valid HTTP.')
    this.options.statistics.answered(broken.status, false, 0)
    const text = JSON.stringify(broken.body())
    socket.end(
      `HTTP/1.1 ${broken.status} Refused\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
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
