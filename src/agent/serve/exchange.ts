import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from './access.ts'
import type { BodyLease } from './request-body.ts'
import type { Route } from './service-http.ts'
import type { TimedWork } from './work-in-flight.ts'

/** What a route gets to know of a request beside its body. */
export interface RequestContext {
  readonly requestId: string
  /** Answered already (its deadline has passed) or its client is gone: whatever is still done for it is wasted. */
  isOver(): boolean
}

/** One request on its way to its answer. */
export class Exchange implements RequestContext, TimedWork {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly route: Route | undefined
  readonly requestId: string
  readonly lease: BodyLease
  /** On the clock of `performance.now()`. */
  readonly startedAt: number
  client: Client | null = null
  answered = false
  deadlineMs = Number.POSITIVE_INFINITY
  expire: () => void = () => {}

  constructor(
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
    path: string,
    route: Route | undefined,
    requestId: string,
    lease: BodyLease,
  ) {
    this.request = request
    this.response = response
    this.path = path
    this.route = route
    this.requestId = requestId
    this.lease = lease
    this.startedAt = performance.now()
  }

  isOver(): boolean {
    return this.answered || this.request.socket.destroyed
  }
}
