import type { ClientDescription } from './client-description.ts'
import { tsSample } from './ts-source.ts'

/** Tests of the generated client: against a small server of their own that answers what was recorded, and against the service where one is named. */
export function tsTests(description: ClientDescription): string {
  const [only] = description.inputs
  const batchSample =
    only && description.inputs.length === 1 && description.fields.length === 0 ? `{ ${JSON.stringify(only.name)}: sample }` : 'sample'
  const send =
    description.fields.length > 0
      ? "'fields' in request ? client.predict(request.fields) : client.predictInputs(request.inputs)"
      : description.inputs.length === 1
        ? 'client.predict(Object.values(request.inputs)[0] as never)'
        : 'client.predict(request.inputs)'
  return `import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { Client, ServiceError } from '../src/client.ts'

const recordedPath = new URL('./example.json', import.meta.url)
// The request and the answer of the model's own server, undefined where there is none.
const recorded = existsSync(recordedPath) ? JSON.parse(readFileSync(recordedPath, 'utf8')) : undefined
${tsSample(description)}

let answers: [number, object, Record<string, string>?][] = []
let seen: { method: string; path: string; headers: Record<string, unknown>; body: string }[] = []
let pauses: number[] = []
const server = createServer((request, response) => {
  let body = ''
  request.on('data', (part) => {
    body += part
  })
  request.on('end', () => {
    seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body })
    const [status, answer, headers] = answers.shift() ?? [500, {}]
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'request-7', ...headers })
    response.end(JSON.stringify(answer))
  })
})
const urlOf = () => \`http://127.0.0.1:\${(server.address() as AddressInfo).port}\`
const newClient = () => new Client({ url: urlOf(), token: 'a-token-of-the-test', wait: async (ms) => void pauses.push(ms) })
const ask = (client: Client, request: any) => ${send}

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => server.close())
beforeEach(() => {
  answers = []
  seen = []
  pauses = []
})

test('sends the token', async () => {
  answers = [[200, { ready: true }]]
  assert.equal(await newClient().ready(), true)
  assert.equal(seen[0]?.headers.authorization, 'Bearer a-token-of-the-test')
})

test('reads the recorded answer', { skip: recorded === undefined }, async () => {
  const { request, answer } = recorded
  answers = [[200, answer]]
  const prediction = await ask(newClient(), request)
  assert.deepEqual(prediction.outputs, answer.outputs)
  assert.equal(prediction.version, answer.version)
  assert.equal(prediction.requestId, 'request-7')
  assert.deepEqual(prediction.prediction, answer.prediction ?? null)
  assert.equal(seen[0]?.path, '/predict')
})

test('sends batches in pieces', async () => {
  const result = { outputs: { y: 1 } }
  answers = [
    [200, { version: 'v', latency_ms: 1, results: [result, result] }],
    [200, { version: 'v', latency_ms: 1, results: [result] }],
  ]
  const predictions = await newClient().predictBatch([${batchSample}, ${batchSample}, ${batchSample}] as never, { chunk: 2 })
  assert.equal(predictions.length, 3)
  assert.deepEqual(seen.map(({ path }) => path), ['/predict/batch', '/predict/batch'])
})

test('asks again when told to wait, and gives up', async () => {
  const busy = { error: { code: 'OVERLOADED', message: 'busy' } }
  answers = [[503, busy, { 'retry-after': '2' }], [429, busy], [200, { status: 'ok' }]]
  assert.equal((await newClient().health()).status, 'ok')
  assert.deepEqual(pauses, [2000, 200])
  answers = [[503, busy], [503, busy], [503, busy], [503, busy]]
  await assert.rejects(newClient().health(), (error) => error instanceof ServiceError && error.kind === 'unavailable' && error.code === 'OVERLOADED')
})

test('tells wrong requests from a wrong token', async () => {
  answers = [
    [422, { error: { code: 'OUT_OF_RANGE', message: 'age must be at most 120', hint: '0 to 120' } }],
    [401, { error: { code: 'UNAUTHORIZED', message: 'no token' } }],
  ]
  await assert.rejects(
    newClient().predict(sample as never),
    (error) => error instanceof ServiceError && error.kind === 'input' && error.hint === '0 to 120' && error.requestId === 'request-7',
  )
  await assert.rejects(newClient().health(), (error) => error instanceof ServiceError && error.kind === 'token')
})

test('refuses what is no JSON, and says when nobody listens', async () => {
  await assert.rejects(newClient().predict(Number.NaN as never), (error) => error instanceof ServiceError && error.code === 'NOT_FINITE')
  assert.deepEqual(seen, [])
  const nobody = new Client({ url: 'http://127.0.0.1:9', token: '', retries: 0 })
  await assert.rejects(nobody.health(), (error) => error instanceof ServiceError && error.code === 'NO_ANSWER')
})

test('the service answers', { skip: process.env.EDGESMITH_URL === undefined }, async () => {
  const client = new Client({ url: process.env.EDGESMITH_URL ?? '', token: process.env.EDGESMITH_TOKEN ?? '' })
  assert.equal(await client.ready(), true)
  assert.match(await client.metrics(), /edgesmith_/)
  if (recorded === undefined) return
  const prediction = await ask(client, recorded.request)
  assert.deepEqual(Object.keys(prediction.outputs), Object.keys(recorded.answer.outputs))
  assert.equal(prediction.prediction?.class, recorded.answer.prediction?.class)
})
`
}
