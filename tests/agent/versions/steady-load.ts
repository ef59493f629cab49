import { Agent, request } from 'node:http'
import { TOKEN } from '../service-fixture.ts'

/** An answer of a prediction. */
export interface LoadAnswer {
  readonly status: number
  /** What was sent. */
  readonly x: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any
}

/** Between two requests of a connection: a steady load, and room for the rest of the test beside it. */
const PAUSE_MS = 10

/** Asks a service for predictions all the time, over some connections that are kept. */
export class SteadyLoad {
  readonly #port: number
  readonly #agent: Agent
  readonly #loops: Promise<void>[]
  readonly #see: (answer: LoadAnswer) => void
  #isOver = false
  #count = 0
  /** Requests that got no answer. */
  readonly broken: string[] = []

  constructor(port: number, connections: number, see: (answer: LoadAnswer) => void) {
    this.#port = port
    this.#see = see
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
    this.#loops = Array.from({ length: connections }, () => this.#loop())
  }

  get count(): number {
    return this.#count
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#loops)
    this.#agent.destroy()
  }

  async #loop(): Promise<void> {
    while (!this.#isOver) {
      const x = (this.#count++ % 1000) + 1
      try {
        this.#see({ x, ...(await this.#ask(x)) })
      } catch (error) {
        this.broken.push(String(error))
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  #ask(x: number): Promise<Omit<LoadAnswer, 'x'>> {
    const text = JSON.stringify({ input: [x] })
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', 'content-length': String(text.length) }
      const outgoing = request(
        { host: '127.0.0.1', port: this.#port, path: '/predict', method: 'POST', agent: this.#agent, headers },
        (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('error', reject)
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) }))
        },
      )
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }
}
