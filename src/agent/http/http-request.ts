import type { HttpConnection } from './http-connection.ts'
import type { RequestHead, RequestHeaders } from './request-head.ts'

/** Gets the body of a request. */
export interface BodySink {
  /** Part of the body; it may be kept. */
  part(bytes: Buffer): void
  /** That was all. Called once, unless {@link gone} is. */
  end(): void
  /** The rest will never come. */
  gone(): void
}

/** A request whose head has arrived. It is answered once, or its client leaves. */
export class HttpRequest {
  readonly head: RequestHead
  readonly connection: HttpConnection
  /** All of its body has arrived. */
  isWhole: boolean
  isAnswered = false
  /** It never arrived whole. */
  isLost = false
  sink: BodySink | null = null
  /** The whole body where it came together with the head, else null. */
  readonly body: Buffer | null

  constructor(head: RequestHead, connection: HttpConnection, body: Buffer | null) {
    this.head = head
    this.connection = connection
    this.body = body
    this.isWhole = body !== null || (!head.isChunked && head.contentLength === 0)
  }

  get method(): string {
    return this.head.method
  }

  get headers(): RequestHeaders {
    return this.head.headers
  }

  /** The client has left, or was cut off: nobody to answer. */
  get isGone(): boolean {
    return this.isLost || this.connection.isClosed
  }

  /** What the client waits for before it sends the body of a request with `Expect: 100-continue`. */
  goOn(): void {
    if (this.head.expectsContinue) this.connection.writeContinue()
  }

  /** Receives the body: now what is there already, the rest as it comes. To be called while the request is handed over. */
  receive(sink: BodySink): void {
    if (!this.isWhole) {
      this.sink = sink
      return
    }
    if (this.body !== null) sink.part(this.body)
    if (!this.isAnswered) sink.end()
  }

  /** Whether the connection can stay open behind an answer given now: its rest of a body would be in the way of the next request. */
  get keepsOpen(): boolean {
    return this.isWhole && this.head.keepsOpen && !this.connection.isDraining
  }

  /** @param head as it is sent, empty line included; it must say that the connection closes where {@link keepsOpen} is false */
  answer(head: string, body: string | Uint8Array, isAscii: boolean): void {
    if (this.isAnswered || this.isGone) return
    this.connection.answer(this, head, this.method === 'HEAD' ? '' : body, isAscii)
  }
}
