import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ServiceClient } from '../../../src/backend/validation/service-client.ts'

/** What a path answers; a body that is no buffer is sent as JSON. */
export interface Lie {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** What each path answers, always the same or made from the body; null for no answer at all. */
type Lies = Readonly<Record<string, Lie | ((body: Buffer) => Lie | null)>>

/** A service that answers what a test wants. */
export class LyingService {
  readonly asked: { method: string; path: string; body: Buffer; headers: IncomingHttpHeaders }[] = []
  readonly #server: Server

  private constructor(answers: Lies) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const path = request.url ?? ''
        const body = Buffer.concat(chunks)
        this.asked.push({ method: request.method ?? '', path, body, headers: request.headers })
        const answer = answers[path] ?? { status: 404, body: { error: 'nothing here' } }
        const lie = typeof answer === 'function' ? answer(body) : answer
        // Null: never answered.
        if (lie === null) return
        const bytes = Buffer.isBuffer(lie.body) ? lie.body : Buffer.from(JSON.stringify(lie.body ?? {}))
        const headers = { 'content-type': lie.type ?? 'application/json; charset=utf-8', 'content-length': bytes.length, ...lie.headers }
        response.writeHead(lie.status ?? 200, headers).end(bytes)
      })
    })
  }

  static async start(answers: Lies): Promise<LyingService> {
    const service = new LyingService(answers)
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve))
    return service
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  client(signal = new AbortController().signal): ServiceClient {
    return new ServiceClient({ port: this.port, token: 'token-of-the-tests' }, signal)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
