import { EdgesmithError } from '../../contract/errors.ts'
import { type AnswerHead, answerHeads } from '../http/answer-head.ts'
import type { HttpFailureKind } from '../http/http-failure.ts'
import type { HttpRequest } from '../http/http-request.ts'
import { HttpServer, type ListenAddress } from '../http/http-server.ts'
import { type AccessCheck, type AccessRules, accessCheck, type Client } from './access.ts'
import { accessLog } from './access-log.ts'
import { Exchange, type RequestContext } from './exchange.ts'
import { type Answer, encodeBody, refusal } from './http-answer.ts'
import { HttpError, type HttpErrorCode } from './http-error.ts'
import { BodyBudget, type BodyFormat, BodyLease, jsonBody, receiveBody, requireBody } from './request-body.ts'
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
  /** For the owner (the service's own token) on this machine only: everybody else gets 403. */
  readonly isControl?: true
  /** Largest body of a POST; that of the service where left out. */
  readonly bodyBytes?: number
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

/** What was found out about a head that was let in. */
interface KnownHead {
  readonly path: string
  readonly route: Route
  readonly client: Client | null
}

/** The HTTP side of a service: who may ask what, how much, how long. Knows nothing of models. */
export class HttpService {
  private readonly options: HttpServiceOptions
  private readonly server: HttpServer
  private readonly access: AccessCheck
  private readonly budget: BodyBudget
  private readonly inFlight: WorkInFlight
  private readonly requestId = requestIds()
  private readonly logAccess: ReturnType<typeof accessLog>
  private readonly answerHead: (head: AnswerHead) => string

  constructor(options: HttpServiceOptions) {
    const { limits, log } = options
    this.options = options
    this.access = accessCheck(options.access)
    this.budget = new BodyBudget(limits.allBodiesBytes)
    this.inFlight = new WorkInFlight(options.concurrency)
    this.logAccess = accessLog(log, options.accessLogShare)
    this.answerHead = answerHeads(limits.keepAliveMs)
    this.server = new HttpServer({ limits, request: (request) => this.answer(request), refusal: (kind) => this.refuseBroken(kind) })
  }

  get openConnections(): number {
    return this.server.openConnections
  }

  /** Predictions being worked on, those that wait included. */
  get predictionsInFlight(): number {
    return this.inFlight.size
  }

  get isDraining(): boolean {
    return this.server.isDraining
  }

  /** Starts to listen; answers the port. @throws EdgesmithError `PORT_TAKEN`, `USAGE` (no right to that port) */
  async listen(address: ListenAddress): Promise<number> {
    try {
      return await this.server.listen(address)
    } catch (error) {
      throw listenError(error as NodeJS.ErrnoException, address)
    }
  }

  /** Takes no more connections, finishes what is in flight (for as long as the limits say), and closes. */
  close(): Promise<void> {
    return this.server.close()
  }

  private answer(request: HttpRequest): void {
    const { head } = request
    const known = head.memo as KnownHead | undefined
    const id = this.requestId(head.headers['x-request-id'])
    const lease = new BodyLease(this.budget)
    // The same head came on this connection before, and was in order; paths of versions come and go.
    if (known !== undefined && this.options.routes.get(known.path) === known.route) {
      const exchange = new Exchange(request, known.path, known.route, id, lease)
      exchange.client = known.client
      this.receive(exchange, known.route)
      return
    }
    const { target } = head
    const query = target.indexOf('?')
    const path = query < 0 ? target : target.slice(0, query)
    const route = this.options.routes.get(path)
    const exchange = new Exchange(request, path, route, id, lease)
    try {
      this.access.requireHost(request)
      if (!route?.isPublic) exchange.client = this.access.requireClient(request)
      if (route?.isControl) requireOwner(exchange)
      const found = requireMethod(request, path, route)
      if (found.method === 'POST') requireBody(head, found.body ?? jsonBody, this.bodyLimit(found))
      head.memo = { path, route: found, client: exchange.client } satisfies KnownHead
      this.receive(exchange, found)
    } catch (thrown) {
      this.refuse(exchange, thrown)
    }
  }

  private bodyLimit(route: Route): number {
    return route.bodyBytes ?? this.options.limits.bodyBytes
  }

  private receive(exchange: Exchange, route: Route): void {
    if (route.method !== 'POST') {
      this.handle(exchange, undefined)
      return
    }
    receiveBody(exchange.request, route.body ?? jsonBody, this.bodyLimit(route), exchange.lease, (error, body) =>
      error === null ? this.handle(exchange, body) : this.refuse(exchange, error),
    )
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
    const { client } = exchange
    const waitSeconds = client?.bucket?.take(now) ?? 0
    if (waitSeconds > 0) {
      const most = client?.bucket?.limit.requestsPerSecond
      throw new HttpError('RATE_LIMITED', `"${client?.name}" asks more often than it may: ${most} prediction requests a second.`, {
        hint: 'Send more samples in one request: a batch counts once.',
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

  private timeoutOf({ headers }: HttpRequest): number {
    const { deadlineMs } = this.options
    const asked = headers['x-request-timeout-ms']
    if (asked === undefined) return deadlineMs
    if (/^[1-9]\d{0,8}$/.test(asked)) return Math.min(Number(asked), deadlineMs)
    throw new HttpError('INVALID_REQUEST', 'The header x-request-timeout-ms must be a whole number of milliseconds from 1.')
  }

  private refuse(exchange: Exchange, thrown: unknown): void {
    const { path, request } = exchange
    // The client is gone: nobody to answer.
    if (request.isGone) this.finish(exchange)
    else this.send(exchange, refusal(thrown instanceof HttpError ? thrown : this.bug(thrown, path), path))
  }

  /** Gives back what the request held. */
  private finish(exchange: Exchange): void {
    exchange.answered = true
    exchange.lease.release()
    this.inFlight.remove(exchange)
  }

  private send(exchange: Exchange, answer: Answer): void {
    if (exchange.answered) return
    let body: string | Uint8Array
    try {
      body = encodeBody(answer)
      if (body.length > LARGE_ANSWER_BYTES) this.requireRoom(body.length)
    } catch (thrown) {
      // More text than there can be in one piece, for example: this request failed, and no other one.
      this.refuse(exchange, thrown)
      return
    }
    this.finish(exchange)
    const { request, requestId } = exchange
    const { status, contentType = JSON_TYPE, headers, sent } = answer
    const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    const { keepsOpen } = request
    const lines = exchange.version?.headerLine
    request.answer(this.answerHead({ status, contentType, bytes, requestId, headers, lines, keepsOpen }), body, bytes === body.length)
    this.record(exchange, status, bytes)
    if (sent) this.afterwards(sent, exchange.path)
  }

  /** Clients that do not read their large answers cannot fill the memory with them. @throws HttpError `OVERLOADED` */
  private requireRoom(bytes: number): void {
    if (this.server.unsentBytes + bytes <= this.options.limits.allAnswersBytes) return
    throw new HttpError('OVERLOADED', 'Too much is being sent at once.', { headers: { 'retry-after': '1' } })
  }

  /** What is done once the answer is out must not reach the client, or end the process. */
  private afterwards(sent: () => void, path: string): void {
    try {
      sent()
    } catch (thrown) {
      this.bug(thrown, path)
    }
  }

  private record({ client, path, request, requestId, route, startedAt, version }: Exchange, status: number, bytes: number): void {
    const durationMs = performance.now() - startedAt
    // What the owner's programs ask every second says nothing about the service.
    if (!route?.isControl) this.options.statistics.answered(status, route?.isPrediction ?? false, durationMs, version)
    this.logAccess({ requestId, client: client?.name ?? null, method: request.method, path, status, durationMs, bytes })
  }

  /** An error that no client caused: logged whole, answered without details. */
  private bug(thrown: unknown, path: string): HttpError {
    const stack = thrown instanceof Error ? thrown.stack : String(thrown)
    this.options.log.error('internal', { path, stack })
    return new HttpError('INTERNAL', 'The server failed to answer.', { hint: 'The log of the service has more.' })
  }

  /** What arrived is no HTTP request, or did not arrive in time. */
  private refuseBroken(kind: HttpFailureKind): string {
    const broken = new HttpError(failureCodes[kind], 'The request is not complete, valid HTTP.')
    this.options.statistics.answered(broken.status, false, 0)
    const text = JSON.stringify(broken.body())
    const { status } = broken
    const head = { status, contentType: JSON_TYPE, bytes: text.length, requestId: null, headers: undefined, keepsOpen: false }
    return this.answerHead(head) + text
  }
}

/** From here on the memory of an answer matters. */
const LARGE_ANSWER_BYTES = 2 ** 20
const JSON_TYPE = 'application/json; charset=utf-8'

const failureCodes: Readonly<Record<HttpFailureKind, HttpErrorCode>> = {
  malformed: 'BAD_REQUEST',
  'head-too-large': 'HEADERS_TOO_LARGE',
  timeout: 'REQUEST_TIMEOUT',
}

/** @throws HttpError `FORBIDDEN` */
function requireOwner({ isOwner, isLocal }: RequestContext): void {
  if (isOwner && isLocal) return
  throw new HttpError('FORBIDDEN', "This path is for the service's own token and for this machine only.")
}

/** @throws HttpError `NOT_FOUND`, `METHOD_NOT_ALLOWED` */
function requireMethod({ method }: HttpRequest, path: string, route: Route | undefined): Route {
  if (!route) throw new HttpError('NOT_FOUND', `There is nothing at ${JSON.stringify(path.slice(0, 200))}.`)
  const allowed = route.method === 'GET' ? ['GET', 'HEAD'] : ['POST']
  if (allowed.includes(method)) return route
  throw new HttpError('METHOD_NOT_ALLOWED', `${method} is not possible at ${path}, only ${allowed.join(' and ')}.`, {
    headers: { allow: allowed.join(', ') },
  })
}

function listenError(error: NodeJS.ErrnoException, { host, port }: ListenAddress): Error {
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
