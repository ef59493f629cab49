import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'
import { linearModel } from '../../engine/measure/small-models.ts'

/** One kind of request and what must come back. */
export interface SoakRequest {
  readonly kind: string
  readonly bytes: Buffer
  readonly status: number
  /** What is wrong with the body of an answer of that status; null for nothing. */
  readonly wrong: (body: Buffer) => string | null
}

const FEATURES = 52
const CLASSES = 4

/** Products of 52 features: what each request must be answered is known, so an answer that belongs to another one is found. */
const weights = (() => {
  const random = seededRandom(3)
  return Array.from({ length: FEATURES }, () => Array.from({ length: CLASSES }, () => Math.fround(random.uniform() - 0.5)))
})()
export const soakModel = linearModel('N', weights)
export const soakLabels = ['a', 'b', 'c', 'd']

/** Requests of all kinds, in the order they are sent again and again: about half single ones, a tenth wrong in some way. */
export function soakRequests(port: number, token: string, service: string): readonly SoakRequest[] {
  const random = seededRandom(11)
  const row = () => Array.from({ length: FEATURES }, () => Math.fround(random.uniform() * 2 - 1))
  const make = (method: string, path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer => {
    const bytes = Buffer.from(body as string)
    const all = {
      host: `127.0.0.1:${port}`,
      authorization: `Bearer ${token}`,
      ...(method === 'POST' ? { 'content-type': 'application/json', 'content-length': String(bytes.length) } : {}),
      ...headers,
    }
    const lines = Object.entries(all).filter(([, value]) => value !== '')
    const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    return Buffer.concat([Buffer.from(head), bytes])
  }
  const json = (path: string, body: unknown) => make('POST', path, JSON.stringify(body))
  const infer = `/v2/models/${service}/infer`

  const single = (): SoakRequest => {
    const values = row()
    return {
      kind: 'single',
      status: 200,
      bytes: json('/predict', { input: values }),
      wrong: expectJson((body) => [[body.outputs?.y, product(values)]]),
    }
  }
  const batch = (): SoakRequest => {
    const rows = Array.from({ length: 16 }, row)
    return {
      kind: 'batch',
      status: 200,
      bytes: json('/predict/batch', { inputs: rows.map((x) => ({ x })) }),
      wrong: expectJson((body) => rows.map((values, index) => [body.results?.[index]?.outputs?.y, product(values)])),
    }
  }
  const v2 = (): SoakRequest => {
    const rows = [row(), row()]
    const input = { name: 'x', shape: [2, FEATURES], datatype: 'FP32', data: rows.flat() }
    return {
      kind: 'V2 JSON',
      status: 200,
      bytes: json(infer, { id: 'soak', inputs: [input] }),
      wrong: expectJson((body) => [[body.outputs?.[0]?.data, rows.flatMap(product)]]),
    }
  }
  const binary = (): SoakRequest => {
    const values = row()
    const tensor = Buffer.from(Float32Array.from(values).buffer)
    const input = { name: 'x', shape: [1, FEATURES], datatype: 'FP32', parameters: { binary_data_size: tensor.length } }
    const text = Buffer.from(JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } }))
    const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': String(text.length) }
    return {
      kind: 'V2 binary',
      status: 200,
      bytes: make('POST', infer, Buffer.concat([text, tensor]), headers),
      wrong: (body) => {
        const found = Float32Array.from({ length: CLASSES }, (_, index) => body.readFloatLE(body.length - 4 * (CLASSES - index)))
        return difference([...found], product(values))
      },
    }
  }
  const bad = (status: number, bytes: Buffer): SoakRequest => ({ kind: `refused ${status}`, status, bytes, wrong: expectError })
  const get = (path: string): SoakRequest => ({ kind: `GET ${path}`, status: 200, bytes: make('GET', path, ''), wrong: () => null })

  return [
    ...Array.from({ length: 4 }, () => [single(), batch(), single(), v2(), single(), binary(), single(), single()]).flat(),
    get('/health'),
    get('/metrics'),
    bad(400, make('POST', '/predict', '{"input":[1,2')),
    bad(400, make('POST', '/predict', `{"input":[${new Array(FEATURES).fill('NaN').join(',')}]}`)),
    bad(401, make('POST', '/predict', '{}', { authorization: '' })),
    bad(404, make('GET', '/nothing/../here', '')),
    bad(405, make('GET', '/predict', '')),
    bad(415, make('POST', '/predict', '{}', { 'content-type': 'text/plain' })),
    bad(422, json('/predict', { input: [1, 2, 3] })),
    bad(422, json('/predict/batch', { inputs: [{ z: row() }] })),
  ]
}

/** y = x · weights, in float64. */
function product(values: readonly number[]): number[] {
  return Array.from({ length: CLASSES }, (_, column) =>
    values.reduce((sum, value, index) => sum + value * (weights[index]?.[column] ?? 0), 0),
  )
}

// biome-ignore lint/suspicious/noExplicitAny: answers of several forms are looked into
type Body = any

function expectJson(pairs: (body: Body) => readonly (readonly [unknown, readonly number[]])[]): SoakRequest['wrong'] {
  return (bytes) => {
    let body: Body
    try {
      body = JSON.parse(bytes.toString('utf8'))
    } catch {
      return `no JSON: ${bytes.toString('utf8', 0, 200)}`
    }
    for (const [found, wanted] of pairs(body)) {
      const wrong = difference(found, wanted)
      if (wrong !== null) return wrong
    }
    return null
  }
}

function difference(found: unknown, wanted: readonly number[]): string | null {
  const flat = [found].flat(Number.POSITIVE_INFINITY)
  const same = flat.length === wanted.length && flat.every((value, index) => Math.abs(Number(value) - (wanted[index] as number)) < 1e-4)
  return same ? null : `${JSON.stringify(found)?.slice(0, 200)} instead of ${JSON.stringify(wanted).slice(0, 200)}`
}

/** Everything that is refused says why. */
function expectError(bytes: Buffer): string | null {
  const text = bytes.toString('utf8')
  return text.includes('"error"') ? null : `no error: ${text.slice(0, 200)}`
}
