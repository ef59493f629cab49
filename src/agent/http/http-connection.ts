import type { Socket } from 'node:net'
import { ChunkedBody } from './chunked-body.ts'
import { checkHeadStart, headEnd, headEndBytes } from './head-end.ts'
import { HttpFailure, type HttpFailureKind } from './http-failure.ts'
import type { HttpLimits } from './http-limits.ts'
import { HttpRequest } from './http-request.ts'
import { parseRequestHead, type RequestHead } from './request-head.ts'

/** What connections ask of their server. */
export interface ConnectionOwner {
  readonly limits: HttpLimits
  readonly isDraining: boolean
  request(request: HttpRequest): void
  /** The whole answer to something that is no request, closing the connection. */
  refusal(kind: HttpFailureKind): string
}

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
/** Heads that are remembered: clients with longer ones are rare. */
const REMEMBERED_BYTES = 2048
/** Heads in a row that were no repetition, after which no more are remembered. */
const MOST_NEW_HEADS = 8
/** An answer up to this size goes out as one piece with its head; a larger one is not worth copying. */
const JOINED_BYTES = 65_536
/** While the server stops, a connection that was quiet for this long is closed: a busy client gets another answer, which says so. */
const QUIET_MS = 250

/**
 * One client. Requests are read one after the other: the next one is looked at when the one before has been answered, so that answers are in
 * order and a client that sends many gets as many places in the service as one that waits.
 */
export class HttpConnection {
  private readonly socket: Socket
  private readonly owner: ConnectionOwner
  /** What was read and not used yet. */
  private input: Buffer | null = null
  private request: HttpRequest | null = null
  private chunks: ChunkedBody | null = null
  private bodyLeft = 0
  /** First byte of the request that is being read; where there is none, the end of the one before. On the clock of `performance.now()`. */
  private since = performance.now()
  private isFresh = true
  private isAdvancing = false
  private isPaused = false
  private isCorked = false
  /** Whatever still comes is thrown away. */
  private isEnding = false
  private linger: NodeJS.Timeout | undefined
  private lastHead: { readonly bytes: Buffer; readonly head: RequestHead } | null = null
  private newHeads = 0

  constructor(socket: Socket, owner: ConnectionOwner) {
    this.socket = socket
    this.owner = owner
    socket.on('data', (bytes: Buffer) => this.read(bytes))
    // A client that says it has no more to send while its answer is being made has left: most never say more than that.
    socket.on('end', () => (this.request === null || this.isEnding ? socket.end() : this.destroy()))
    socket.on('drain', () => {
      socket.setTimeout(0)
      this.advance()
    })
    socket.on('timeout', () => this.destroy())
    // 'close' follows, which is all that matters.
    socket.on('error', () => {})
    socket.on('close', () => this.closed())
  }

  get isClosed(): boolean {
    return this.socket.destroyed
  }

  /** Of answers that the client has not taken yet. */
  get unsentBytes(): number {
    return this.socket.writableLength
  }

  get isDraining(): boolean {
    return this.owner.isDraining
  }

  get remoteAddress(): string | undefined {
    return this.socket.remoteAddress
  }

  writeContinue(): void {
    this.socket.write(CONTINUE, 'latin1')
  }

  /** Sends the answer to the request that is being worked on, as one piece. */
  answer(request: HttpRequest, head: string, body: string | Uint8Array, isAscii: boolean): void {
    const keepsOpen = request.keepsOpen
    request.isAnswered = true
    // What else this client has sent already is answered in the same turn, if it can be, and goes out together.
    if (this.isAdvancing && this.input !== null && !this.isCorked) {
      this.isCorked = true
      this.socket.cork()
    }
    const isTaken = this.write(head, body, isAscii)
    if (!isTaken) this.socket.setTimeout(this.owner.limits.stalledMs)
    if (!keepsOpen) {
      this.end(request.isWhole)
      return
    }
    this.request = null
    this.isFresh = false
    this.since = performance.now()
    if (!this.isAdvancing) this.advance()
  }

  /** @param now on the clock of `performance.now()` */
  checkTime(now: number): void {
    const { keepAliveMs, headersTimeoutMs, requestTimeoutMs } = this.owner.limits
    const passedMs = now - this.since
    if (this.isEnding) return
    if (this.request !== null) {
      if (!this.request.isWhole && passedMs > requestTimeoutMs) this.fail('timeout')
    } else if (this.input === null && this.isDraining) {
      if (passedMs > QUIET_MS) this.end(true)
    } else if (this.input === null && !this.isFresh) {
      if (passedMs > keepAliveMs) this.end(true)
    } else if (passedMs > headersTimeoutMs) this.fail('timeout')
  }

  destroy(): void {
    this.socket.destroy()
  }

  private read(bytes: Buffer): void {
    if (this.isEnding) return
    if (this.request === null && this.input === null && !this.isFresh) this.since = performance.now()
    this.input = this.input === null ? bytes : Buffer.concat([this.input, bytes])
    if (this.request?.isWhole || this.socket.writableNeedDrain) {
      this.isPaused = true
      this.socket.pause()
      return
    }
    this.advance()
  }

  /** Reads requests from what is there, as far as it goes. */
  private advance(): void {
    if (this.isAdvancing) return
    this.isAdvancing = true
    try {
      while (this.step());
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error
      this.fail(error.kind)
    } finally {
      this.isAdvancing = false
      if (this.isCorked) {
        this.isCorked = false
        this.socket.uncork()
      }
    }
    if (this.isPaused && this.request === null && !this.socket.writableNeedDrain) {
      this.isPaused = false
      this.socket.resume()
    }
  }

  /** One head or one part of a body. @returns whether there may be more to do */
  private step(): boolean {
    if (this.isEnding || this.input === null || this.isClosed) return false
    if (this.request !== null) return !this.request.isWhole && this.readBody(this.request, this.input)
    // A client that does not read its answers gets no more of them.
    if (this.socket.writableNeedDrain) return false
    const head = this.readHead(this.input)
    if (head === null) return false
    const request = new HttpRequest(head, this, this.wholeBody(head.contentLength))
    this.request = request
    if (!request.isWhole) {
      this.bodyLeft = head.contentLength
      this.chunks = head.isChunked ? new ChunkedBody() : null
    }
    this.owner.request(request)
    return true
  }

  private readHead(input: Buffer): RequestHead | null {
    const { headerBytes, headerCount } = this.owner.limits
    const known = this.lastHead
    if (known !== null && input.length >= known.bytes.length && isStart(known.bytes, input)) {
      this.newHeads = 0
      this.use(input, known.bytes.length)
      return known.head
    }
    // One empty line before a request is left over from the body before it (RFC 9112, 2.2).
    const start = input[0] === 13 && input[1] === 10 ? 2 : 0
    const end = headEnd(input, start)
    if (end < 0 ? input.length > headerBytes : end > headerBytes) throw new HttpFailure('head-too-large', `more than ${headerBytes} bytes`)
    if (end < 0) {
      checkHeadStart(input, start)
      return null
    }
    const head = parseRequestHead(input, start, end, headerCount)
    const length = end + headEndBytes
    if (length > REMEMBERED_BYTES || this.newHeads++ >= MOST_NEW_HEADS) this.lastHead = null
    // A copy: the memory it came in holds its body, too.
    else this.lastHead = { bytes: Buffer.from(input.subarray(0, length)), head }
    this.use(input, length)
    return head
  }

  /** A body that is there already, as it is for nearly all requests. */
  private wholeBody(length: number): Buffer | null {
    const { input } = this
    if (length === 0 || input === null || input.length < length) return null
    this.use(input, length)
    return length === input.length ? input : input.subarray(0, length)
  }

  private readBody(request: HttpRequest, input: Buffer): boolean {
    let part: Buffer
    if (this.chunks) {
      const { body, used, isOver } = this.chunks.decode(input)
      part = body
      request.isWhole = isOver
      this.use(input, used)
    } else {
      part = input.length <= this.bodyLeft ? input : input.subarray(0, this.bodyLeft)
      this.bodyLeft -= part.length
      request.isWhole = this.bodyLeft === 0
      this.use(input, part.length)
    }
    const { sink } = request
    if (sink === null || request.isAnswered) return true
    if (part.length > 0) sink.part(part)
    if (request.isWhole && !request.isAnswered) sink.end()
    return true
  }

  private use(input: Buffer, bytes: number): void {
    this.input = bytes === input.length ? null : input.subarray(bytes)
  }

  private write(head: string, body: string | Uint8Array, isAscii: boolean): boolean {
    if (typeof body === 'string') return this.socket.write(head + body, isAscii ? 'latin1' : 'utf8')
    if (body.length <= JOINED_BYTES) {
      const whole = Buffer.allocUnsafe(head.length + body.length)
      whole.write(head, 0, 'latin1')
      whole.set(body, head.length)
      return this.socket.write(whole)
    }
    this.socket.cork()
    this.socket.write(head, 'latin1')
    const isTaken = this.socket.write(body)
    this.socket.uncork()
    return isTaken
  }

  /** No request, or not in time: answers that, and closes. */
  private fail(kind: HttpFailureKind): void {
    const { request } = this
    if (request?.isAnswered) {
      this.destroy()
      return
    }
    if (request) request.isLost = true
    this.socket.write(this.owner.refusal(kind), 'latin1')
    this.end(false)
    request?.sink?.gone()
  }

  /**
   * Closes behind what was written. Closing at once would reset the connection under a client that still sends, before it has read the answer.
   * @param isQuiet the client is not in the middle of something
   */
  private end(isQuiet: boolean): void {
    this.isEnding = true
    if (isQuiet && this.input === null && !this.isPaused) {
      // What is written is still sent.
      this.socket.destroySoon()
      this.linger ??= setTimeout(() => this.destroy(), this.owner.limits.stalledMs)
      return
    }
    this.input = null
    this.socket.end()
    this.socket.resume()
    this.linger ??= setTimeout(() => this.destroy(), this.owner.limits.lingerMs)
  }

  private closed(): void {
    clearTimeout(this.linger)
    const { request } = this
    this.request = null
    this.input = null
    if (request && !request.isAnswered) request.sink?.gone()
  }
}

/** Whether `bytes` begins with all of `start`. */
function isStart(start: Buffer, bytes: Buffer): boolean {
  return bytes.compare(start, 0, start.length, 0, start.length) === 0
}
