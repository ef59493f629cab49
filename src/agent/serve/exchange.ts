import type { HttpRequest } from '../http/http-request.ts'
import type { Client } from './access.ts'
import type { BodyLease } from './request-body.ts'
import type { Route } from './service-http.ts'
import type { VersionStatistics } from './versions/version-statistics.ts'
import type { TimedWork } from './work-in-flight.ts'

/** A version of the model, as the HTTP side sees it. */
export interface AnsweringVersion {
  /** Of every answer it gives or fails to give: `x-model-version` with its line break; empty where its name cannot be sent in a header. */
  readonly headerLine: string
  readonly statistics: VersionStatistics
}

/** What a route gets to know of a request beside its body. */
export interface RequestContext {
  readonly requestId: string
  /** The version that answers; set by the route as soon as it has chosen one. */
  version: AnsweringVersion | null
  /** `token`, or the name of the API key the client knows; null at paths that need neither. */
  readonly clientName: string | null
  /** Came with the service's own token, not with an API key. */
  readonly isOwner: boolean
  /** Came from this machine, be it through a tunnel. */
  readonly isLocal: boolean
  /** A header of the request. @param name in lower case */
  header(name: string): string | undefined
  /** Answered already (its deadline has passed) or its client is gone: whatever is still done for it is wasted. */
  isOver(): boolean
}

/** One request on its way to its answer. */
export class Exchange implements RequestContext, TimedWork {
  readonly request: HttpRequest
  readonly path: string
  readonly route: Route | undefined
  readonly requestId: string
  readonly lease: BodyLease
  /** On the clock of `performance.now()`. */
  readonly startedAt: number
  client: Client | null = null
  version: AnsweringVersion | null = null
  answered = false
  deadlineMs = Number.POSITIVE_INFINITY
  place = -1
  expire: () => void = () => {}

  constructor(request: HttpRequest, path: string, route: Route | undefined, requestId: string, lease: BodyLease) {
    this.request = request
    this.path = path
    this.route = route
    this.requestId = requestId
    this.lease = lease
    this.startedAt = performance.now()
  }

  get clientName(): string | null {
    return this.client?.name ?? null
  }

  get isOwner(): boolean {
    return this.client?.isOwner ?? false
  }

  get isLocal(): boolean {
    return isLoopback(this.request.connection.remoteAddress)
  }

  header(name: string): string | undefined {
    return this.request.headers[name]
  }

  isOver(): boolean {
    return this.answered || this.request.isGone
  }
}

/** IPv4 addresses may come in the form of IPv6. */
function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:::1$|(?:::ffff:)?127\.)/i.test(address)
}
