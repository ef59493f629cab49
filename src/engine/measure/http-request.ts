import { EdgesmithError } from '../../contract/errors.ts'
import { servedModelSchema } from '../../contract/served-model.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { Port, RuntimeTensor } from '../../core/inference-runtime.ts'
import { type BenchmarkInputs, makeBenchmarkInputs } from './benchmark-inputs.ts'
import { HttpConnection } from './http-connection.ts'

/** Where our REST server listens, and what lets one in. */
export interface ServerAddress {
  readonly port: number
  readonly token: string
}

/** What an answer must look like. */
interface AnswerSchema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false }
}

/** Asks the server for a JSON document. @throws EdgesmithError `ENGINE_DIED` when it does not answer as our server does */
export async function getJson<T>(address: ServerAddress, path: string, schema: AnswerSchema<T>): Promise<T> {
  const connection = await HttpConnection.open(address.port)
  try {
    const { status, body } = await connection.send(Buffer.from(requestText(address, 'GET', path, '')))
    const parsed = status === 200 ? schema.safeParse(JSON.parse(body.toString('utf8'))) : undefined
    if (parsed?.success) return parsed.data
    throw new EdgesmithError('ENGINE_DIED', `The server answered ${path} with ${status}: ${body.toString('utf8', 0, 300)}`)
  } finally {
    connection.close()
  }
}

/** A prediction request for the model that is served, with made-up inputs. */
export interface PredictionRequest {
  readonly bytes: Buffer
  readonly assumptions: string[]
}

/**
 * Makes the request that is sent again and again: `POST /predict`, with `batch` above 1 `POST /predict/batch` with that many samples.
 * @throws EdgesmithError `USAGE`, `TOO_LARGE` as for other benchmarks' inputs
 */
export async function predictionRequest(address: ServerAddress, batch: number): Promise<PredictionRequest> {
  const { inputs } = await getJson(address, '/model_info', servedModelSchema)
  const ports = inputs.map(({ name, type, shape, sample_shape: sampleShape }): Port => {
    // Names of open dimensions stand in the whole shape only.
    const own = shape.length > sampleShape.length ? shape.slice(1) : shape
    const batchDim = typeof shape[0] === 'string' ? shape[0] : 'batch'
    return { name, type: type as Port['type'], shape: [batchDim, ...own.map((dim) => dim ?? undefined)] }
  })
  const { feeds, assumptions } = makeBenchmarkInputs(ports, batch)
  const samples = Array.from({ length: batch }, (_, index) => sampleOf(feeds, index, batch))
  const body = JSON.stringify({ inputs: batch === 1 ? samples[0] : samples, preprocessed: true })
  return { bytes: Buffer.from(requestText(address, 'POST', batch === 1 ? '/predict' : '/predict/batch', body)), assumptions }
}

/** A whole HTTP/1.1 request with a JSON body. */
export function requestText({ port, token }: ServerAddress, method: string, path: string, body: string): string {
  const content = method === 'POST' ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` : ''
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n${content}\r\n${body}`
}

/** One sample of a batch as JSON has it: nested lists of numbers. */
function sampleOf(feeds: BenchmarkInputs['feeds'], index: number, batch: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, tensor]) => {
      const size = tensor.values.length / batch
      return [name, nested(plainValues(tensor).slice(index * size, (index + 1) * size), tensor.dims.slice(1))]
    }),
  )
}

function plainValues({ type, values }: RuntimeTensor): (number | boolean)[] {
  if (type === 'float16') return Array.from(values as Uint16Array, halfToFloat)
  if (type === 'bool') return Array.from(values as Uint8Array, (value) => value !== 0)
  return Array.from(values as ArrayLike<number | bigint>, Number)
}

function nested(values: readonly unknown[], shape: readonly number[]): unknown {
  const [count, ...rest] = shape
  if (count === undefined) return values[0]
  const size = values.length / count
  return Array.from({ length: count }, (_, i) => (rest.length === 0 ? values[i] : nested(values.slice(i * size, (i + 1) * size), rest)))
}
