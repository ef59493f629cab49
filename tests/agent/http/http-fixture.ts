import { connect, type Socket } from 'node:net'
import { answerHeads } from '../../../src/agent/http/answer-head.ts'
import type { HttpFailureKind } from '../../../src/agent/http/http-failure.ts'
import type { HttpLimits } from '../../../src/agent/http/http-limits.ts'
import type { HttpRequest } from '../../../src/agent/http/http-request.ts'
import { HttpServer } from '../../../src/agent/http/http-server.ts'
import { serviceLimits } from '../../../src/agent/serve/service-limits.ts'

/** A request as a server understood it. */
export interface Understood {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A server of ours that notes every whole request and answers it as `answer` says; at once and with its path where that is left out. */
export interface TestServer {
  readonly server: HttpServer
  readonly port: number
  readonly requests: (Understood & { readonly connection: object })[]
  readonly failures: HttpFailureKind[]
}

const head = answerHeads(5000)

export function answerWith(request: HttpRequest, body: string | Uint8Array, status = 200): void {
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const { keepsOpen } = request
  request.answer(head({ status, contentType: 'text/plain', bytes, requestId: null, headers: {}, keepsOpen }), body, bytes === body.length)
}

export async function testServer(
  limits: Partial<HttpLimits> = {},
  answer: (request: HttpRequest, body: Buffer) => void = (request) => answerWith(request, request.head.target),
): Promise<TestServer> {
  const requests: TestServer['requests'] = []
  const failures: HttpFailureKind[] = []
  const server = new HttpServer({
    limits: { ...serviceLimits, ...limits },
    request: (request) => {
      const parts: Buffer[] = []
      request.goOn()
      request.receive({
        part: (bytes) => void parts.push(bytes),
        end: () => {
          const body = Buffer.concat(parts)
          const { method, target, headers } = request.head
          requests.push({ method, target, headers: { ...headers }, body: body.toString('latin1'), connection: request.connection })
          answer(request, body)
        },
        gone: () => {},
      })
    },
    refusal: (kind) => {
      failures.push(kind)
      return head({ status: 400, contentType: 'text/plain', bytes: kind.length, requestId: null, headers: {}, keepsOpen: false }) + kind
    },
  })
  return { server, port: await server.listen({ host: '127.0.0.1', port: 0 }), requests, failures }
}

/** A connection and what came back on it. */
export interface TestClient {
  readonly socket: Socket
  readonly closed: Promise<void>
  received(): string
}

export function client(port: number): TestClient {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  let received = ''
  socket.on('data', (bytes) => {
    received += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  return { socket, closed, received: () => received }
}

/** Writes bytes in pieces, a turn of the event loop apart, says that there is no more, and waits until the server closes. */
export async function sendPieces(port: number, pieces: readonly Uint8Array[]): Promise<string> {
  const { socket, closed, received } = client(port)
  for (const piece of pieces) {
    if (!socket.writable) break
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
  await closed
  return received()
}
