import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'
import { type RunningService, type ServiceOptions, startService } from '../../src/agent/serve/service.ts'
import { type ServiceLimits, serviceLimits } from '../../src/agent/serve/service-limits.ts'
import { type ServiceConfig, type ServiceConfigFile, serviceConfigSchema } from '../../src/contract/service.ts'
import type { InferenceRuntime } from '../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../src/engine/runtimes/onnx-runtime.ts'

export const TOKEN = 'token-of-the-tests-0123456789'

/** What came back; `body` is the parsed JSON. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Parsed where it is JSON, else as text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  readonly body: any
  readonly bytes: Buffer
}

export interface SendOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Text and bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown
  /** Leave the token out. */
  readonly anonymous?: boolean
}

/** A service in this process, with what the tests need to talk to it. */
export interface TestService {
  readonly service: RunningService
  readonly port: number
  /** Events that were logged. */
  readonly events: { level: string; event: string }[]
  send(path: string, options?: SendOptions): Promise<Reply>
  /** Writes bytes to a connection of its own and answers everything that came back until the server closed it. */
  raw(text: string | Uint8Array): Promise<string>
}

export function serviceConfig(model: Uint8Array, changes: Partial<ServiceConfigFile> = {}): ServiceConfig {
  return serviceConfigSchema.parse({
    service: 'test',
    modelName: 'Test model',
    modelPath: '/nowhere/model.onnx',
    modelSha256: createHash('sha256').update(model).digest('hex'),
    version: 'release-1',
    host: '127.0.0.1',
    port: 0,
    tokenPath: '/nowhere/token',
    statePath: '/nowhere/state.json',
    preprocessing: {},
    labels: null,
    accuracy: null,
    latencyP50Ms: null,
    threads: 1,
    ...changes,
  })
}

export async function testService(
  model: Uint8Array,
  changes: Partial<ServiceConfigFile> = {},
  limits: Partial<ServiceLimits> = {},
  runtime: InferenceRuntime = onnxRuntime,
  more: Pick<ServiceOptions, 'observers' | 'routes' | 'metrics'> = {},
): Promise<TestService> {
  const events: TestService['events'] = []
  const service = await startService({
    config: serviceConfig(model, changes),
    token: TOKEN,
    readModel: async () => model,
    runtime,
    runtimeVersion: 'runtime of the tests',
    ...more,
    limits: { ...serviceLimits, ...limits },
    log: {
      info: (event, fields) => void events.push({ level: 'info', event, ...fields }),
      error: (event, fields) => void events.push({ level: 'error', event, ...fields }),
    },
  })
  const { port } = service
  return { service, port, events, send: (path, options) => send(port, path, options), raw: (text) => sendRaw(port, text) }
}

/** Sends one request and reads the answer. */
export function send(port: number, path: string, { method, headers = {}, body, anonymous = false }: SendOptions = {}): Promise<Reply> {
  const text = typeof body === 'string' || body instanceof Uint8Array || body === undefined ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: method ?? (text === undefined ? 'GET' : 'POST'),
        agent: false,
        headers: {
          ...(anonymous ? {} : { authorization: `Bearer ${TOKEN}` }),
          ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const received = bytes.toString('utf8')
          const isJson = incoming.headers['content-type']?.startsWith('application/json')
          const parsed = received !== '' && isJson ? JSON.parse(received) : received
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: received === '' ? undefined : parsed, bytes })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(text)
  })
}

function sendRaw(port: number, text: string | Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    // A connection cut while it is still being written to ends in an error; what counts is what came before.
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}
