import { connect, type Socket } from 'node:net'

/** An answer to one request. */
export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
}

/** Heads of our server have some 200 bytes; its answers to one request stay far below this. */
const MOST_HEAD_BYTES = 2 ** 14
const MOST_BODY_BYTES = 2 ** 28
const HEAD_END = Buffer.from('\r\n\r\n')
const STATUS_LINE = /^HTTP\/1\.1 (\d{3}) /
const CLOSES = /\r\nconnection: *close\b/i
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i

interface Waiting {
  resolve(answer: HttpAnswer): void
  reject(error: Error): void
}

/**
 * A keep-alive connection to a server on this computer that sends one request after another. Small on purpose: Node's own client takes
 * longer for a request than our server for the answer, and would be what is measured.
 */
export class HttpConnection {
  closed = false
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #received = 0
  /** Of the answer being received, once its head is there. */
  #head: { readonly status: number; readonly bodyStart: number; readonly end: number; readonly closes: boolean } | undefined
  #waiting: Waiting | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** @throws the error of the socket when nobody listens */
  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new HttpConnection(socket))
      })
    })
  }

  /** Sends a whole request (head and body) when none is under way. Rejects when the connection breaks or the answer is no HTTP. */
  send(request: Buffer): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error('the connection is closed'))
      this.#waiting = { resolve, reject }
      this.#socket.write(request)
    })
  }

  close(): void {
    this.closed = true
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#received += chunk.length
    this.#head ??= this.#readHead()
    if (!this.#head || this.#received < this.#head.end) return
    const { status, bodyStart, end, closes } = this.#head
    const whole = this.#whole()
    const waiting = this.#waiting
    if (!waiting || this.#received > end) {
      this.#fail(new Error('the server answered what nobody asked'))
      return
    }
    this.#chunks = []
    this.#received = 0
    this.#head = undefined
    this.#waiting = undefined
    // The server has said that it takes nothing more here.
    if (closes) this.close()
    waiting.resolve({ status, body: whole.subarray(bodyStart) })
  }

  #readHead() {
    const whole = this.#whole()
    const headEnd = whole.indexOf(HEAD_END)
    if (headEnd < 0) {
      if (this.#received > MOST_HEAD_BYTES) this.#fail(new Error(`the head of the answer is longer than ${MOST_HEAD_BYTES} bytes`))
      return undefined
    }
    const text = whole.toString('latin1', 0, headEnd)
    const status = STATUS_LINE.exec(text)?.[1]
    const length = Number(CONTENT_LENGTH.exec(text)?.[1])
    if (status === undefined || !(length <= MOST_BODY_BYTES)) {
      this.#fail(new Error(`the answer is not HTTP/1.1 with a content-length: ${JSON.stringify(text.slice(0, 100))}`))
      return undefined
    }
    const bodyStart = headEnd + HEAD_END.length
    return { status: Number(status), bodyStart, end: bodyStart + length, closes: CLOSES.test(text) }
  }

  #whole(): Buffer {
    const [first] = this.#chunks
    const whole = this.#chunks.length === 1 && first ? first : Buffer.concat(this.#chunks)
    this.#chunks = [whole]
    return whole
  }

  #fail(error: Error): void {
    this.close()
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}
