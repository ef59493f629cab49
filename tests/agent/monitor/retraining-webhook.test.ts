import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { DriftTrigger } from '../../../src/agent/monitor/drift-monitor.ts'
import { RetrainingWebhook, type RetrainingWebhookOptions } from '../../../src/agent/monitor/retraining-webhook.ts'
import { retrainingWebhookSettingsSchema } from '../../../src/contract/monitoring.ts'
import { normalReference, recordingLog, until } from './observed.ts'

const folder = mkdtempSync(join(tmpdir(), 'edgesmith-webhook-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SECRET = 'a secret of the two'
const HOUR_MS = 3_600_000
let files = 0
const newPath = () => join(folder, `state-${files++}.json`)

interface Received {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A receiver that answers as it is told, one request after the other, the last way for all that follow. */
async function receiver(...answers: ((response: ServerResponse) => void)[]) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      received.push({ method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(parts).toString() })
      const answer = answers[Math.min(received.length, answers.length) - 1]
      if (!answer) throw new Error('no answer')
      answer(response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/retrain?site=7`, received }
}

const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(code, headers).end('{}')

function openWebhook(options: Partial<RetrainingWebhookOptions> & { url: string }) {
  const { log, lines } = recordingLog()
  const webhook = new RetrainingWebhook({
    secret: SECRET,
    statePath: newPath(),
    coolDownMs: 24 * HOUR_MS,
    service: { service: 'digits', model: 'mlp', version: 'r1' },
    log,
    firstPauseMs: 20,
    ...options,
  })
  closing.push(() => webhook.close())
  return { webhook, lines, events: () => lines.map(({ event }) => event) }
}

const [sketch] = normalReference(1).features
const trigger: DriftTrigger = {
  window: { rows: 1000, fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2), verdicts: [], inARow: [] },
  features: Array.from({ length: 60 }, (_, index) => ({
    sketch: { ...(sketch as NonNullable<typeof sketch>), name: `f${index}` },
    verdict: { psi: index / 100, psiLimit: 0.1, distance: 0.2, pValue: 1e-9, adjustedPValue: 5e-8, level: 'severe' },
    inARow: 2,
  })),
}

/** Nothing more comes: several pauses go by. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 300))

describe('the retraining webhook', () => {
  it('posts what drifted, signed, with a key of its own', async () => {
    const { url, received } = await receiver(status(204))
    const now = Date.UTC(2026, 2, 1)
    const { webhook, events } = openWebhook({ url, now: () => now })
    expect(webhook.fire(trigger)).toBe('sending')
    await until(() => webhook.status.pending === null, 'delivery')
    expect(events()).toEqual(['retraining-webhook-delivered'])
    expect(received).toHaveLength(1)
    const [{ method, path, headers, body }] = received as [Received]
    expect({ method, path }).toEqual({ method: 'POST', path: '/retrain?site=7' })
    const parsed = JSON.parse(body)
    expect(parsed).toMatchObject({
      event: 'drift',
      service: 'digits',
      model: 'mlp',
      version: 'r1',
      time: '2026-03-01T00:00:00.000Z',
      window: { rows: 1000, from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' },
      drifted_features: 60,
    })
    expect(parsed.features).toHaveLength(50)
    expect(parsed.features[0]).toEqual({
      name: 'f59',
      watches: 'input',
      level: 'severe',
      psi: 0.59,
      psi_limit: 0.1,
      distance: 0.2,
      p_value: 5e-8,
      windows_in_a_row: 2,
    })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': parsed.idempotency_key,
      'x-edgesmith-timestamp': String(now / 1000),
      'x-edgesmith-signature': `v1=${createHmac('sha256', SECRET)
        .update(`${now / 1000}.${body}`)
        .digest('hex')}`,
    })
  })

  it('tries until it is answered with success: the same body and key, each time signed anew', async () => {
    const { url, received } = await receiver(
      status(500),
      status(404),
      status(302, { location: '/elsewhere' }),
      (response) => response.destroy(),
      status(200),
    )
    let now = Date.UTC(2026, 2, 1)
    const { webhook, lines, events } = openWebhook({ url, now: () => (now += 1000), firstPauseMs: 5 })
    webhook.fire(trigger)
    await until(() => events().includes('retraining-webhook-delivered'), 'delivery')
    expect(events()).toEqual([...new Array(4).fill('retraining-webhook-failed'), 'retraining-webhook-delivered'])
    expect(lines[0]?.fields).toMatchObject({ attempts: 1, reason: 'answered with status 500' })
    expect(lines[4]?.fields).toMatchObject({ attempts: 5 })
    expect(received.map(({ path }) => path)).toEqual(new Array(5).fill('/retrain?site=7'))
    expect(new Set(received.map(({ body }) => body)).size).toBe(1)
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    expect(new Set(received.map(({ headers }) => headers['x-edgesmith-signature'])).size).toBe(5)
  }, 30_000)

  it('waits for the cool-down before it tells the next drift, also after a restart and when the clock was set back', async () => {
    const { url, received } = await receiver(status(200))
    const statePath = newPath()
    let now = Date.UTC(2026, 2, 1)
    const first = openWebhook({ url, statePath, now: () => now })
    first.webhook.fire(trigger)
    await until(() => first.webhook.status.pending === null, 'delivery')
    now += 24 * HOUR_MS - 1
    expect(first.webhook.fire(trigger)).toBe('cooling-down')
    first.webhook.close()
    const second = openWebhook({ url, statePath, now: () => now })
    expect(second.webhook.fire(trigger)).toBe('cooling-down')
    now += 1
    expect(second.webhook.fire(trigger)).toBe('sending')
    await until(() => second.webhook.status.pending === null, 'the second delivery')
    expect(received).toHaveLength(2)
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(2)
    now -= 30 * 24 * HOUR_MS
    expect(second.webhook.fire(trigger)).toBe('sending')
  })

  it('goes on after a restart with what was not delivered', async () => {
    const statePath = newPath()
    const dead = await receiver(status(503))
    const first = openWebhook({ url: dead.url, statePath, firstPauseMs: 60_000 })
    first.webhook.fire(trigger)
    await until(() => first.webhook.status.pending?.attempts === 1, 'the first try')
    expect(first.webhook.fire(trigger)).toBe('undelivered')
    first.webhook.close()
    if (process.platform !== 'win32') expect(statSync(statePath).mode & 0o077).toBe(0)
    const alive = await receiver(status(200))
    // The pause has passed meanwhile.
    const second = openWebhook({ url: alive.url, statePath, now: () => Date.now() + 10 * 60_000 })
    await until(() => second.webhook.status.pending === null, 'delivery')
    expect(alive.received[0]?.body).toBe(dead.received[0]?.body)
    expect(alive.received[0]?.headers['idempotency-key']).toBe(dead.received[0]?.headers['idempotency-key'])
    expect(second.lines.at(-1)?.fields).toMatchObject({ attempts: 2 })
    second.webhook.close()
    const third = openWebhook({ url: alive.url, statePath })
    await aWhile()
    expect(third.webhook.status.pending).toBeNull()
    expect(alive.received).toHaveLength(1)
  })

  it('keeps the pause over a restart', async () => {
    const statePath = newPath()
    const { url, received } = await receiver(status(500))
    const first = openWebhook({ url, statePath, firstPauseMs: 60_000 })
    first.webhook.fire(trigger)
    await until(() => first.webhook.status.pending?.attempts === 1, 'the first try')
    first.webhook.close()
    openWebhook({ url, statePath })
    await aWhile()
    expect(received).toHaveLength(1)
  })

  it('waits as long as it is asked to, an hour at most', async () => {
    const { url } = await receiver(status(429, { 'retry-after': '900' }))
    const asked = openWebhook({ url, now: () => 1_000_000 })
    asked.webhook.fire(trigger)
    await until(() => asked.webhook.status.pending?.attempts === 1, 'the first try')
    expect(asked.webhook.status.pending?.nextAtMs).toBe(1_000_000 + 900_000)
    const greedy = await receiver(status(503, { 'retry-after': '999999' }))
    const capped = openWebhook({ url: greedy.url, now: () => 1_000_000 })
    capped.webhook.fire(trigger)
    await until(() => capped.webhook.status.pending?.attempts === 1, 'the first try')
    expect(capped.webhook.status.pending?.nextAtMs).toBe(1_000_000 + HOUR_MS)
  })

  it('gives up after three days, and at once where nobody wants it any more', async () => {
    const { url, received } = await receiver(status(500))
    const statePath = newPath()
    let now = Date.UTC(2026, 2, 1)
    const late = openWebhook({ url, statePath, now: () => now, firstPauseMs: 5 })
    late.webhook.fire(trigger)
    await until(() => received.length === 1, 'the first try')
    now += 3 * 24 * HOUR_MS
    await until(() => late.events().includes('retraining-webhook-given-up'), 'the end')
    expect(late.webhook.status.pending).toBeNull()
    expect(JSON.parse(readFileSync(statePath, 'utf8'))).toMatchObject({ pending: null })
    const gone = await receiver(status(410))
    const unwanted = openWebhook({ url: gone.url })
    unwanted.webhook.fire(trigger)
    await until(() => unwanted.events().includes('retraining-webhook-given-up'), 'the end')
    await aWhile()
    expect(gone.received).toHaveLength(1)
  })

  it('fails where nobody answers, and is not held up by answers that never end', async () => {
    const silent = await receiver(() => {})
    const first = openWebhook({ url: silent.url, timeoutMs: 100, firstPauseMs: 60_000 })
    first.webhook.fire(trigger)
    await until(() => first.webhook.status.pending?.attempts === 1, 'the time-out')
    expect(first.lines[0]?.fields).toMatchObject({ reason: 'no answer within 0.1 s' })
    const endless = await receiver((response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write('x'.repeat(50_000)), 1)
      response.on('close', () => clearInterval(timer))
    })
    const second = openWebhook({ url: endless.url })
    second.webhook.fire(trigger)
    await until(() => second.events().includes('retraining-webhook-delivered'), 'delivery')
    const stuck = await receiver((response) => response.writeHead(200).write('x'))
    const third = openWebhook({ url: stuck.url, timeoutMs: 100 })
    third.webhook.fire(trigger)
    await until(() => third.events().includes('retraining-webhook-delivered'), 'delivery')
    const nobody = openWebhook({ url: 'http://127.0.0.1:1/', firstPauseMs: 60_000 })
    nobody.webhook.fire(trigger)
    await until(() => nobody.webhook.status.pending?.attempts === 1, 'the refusal')
    expect(nobody.lines[0]?.fields.reason).toMatch(/ECONNREFUSED/)
  })

  it('begins anew with a state file it cannot read, and works without one it can write', async () => {
    const { url } = await receiver(status(200))
    const broken = newPath()
    writeFileSync(broken, '{"version": 1, "pending": {"key": 5}}')
    const first = openWebhook({ url, statePath: broken })
    expect(first.events()).toEqual(['retraining-webhook-state'])
    expect(first.webhook.fire(trigger)).toBe('sending')
    await until(() => first.events().includes('retraining-webhook-delivered'), 'delivery')
    const second = openWebhook({ url, statePath: join(folder, 'no', 'such', 'folder.json') })
    second.webhook.fire(trigger)
    await until(() => second.events().includes('retraining-webhook-delivered'), 'delivery')
    expect(second.webhook.fire(trigger)).toBe('cooling-down')
  })
})

describe('the settings of a webhook', () => {
  const settings = (url: string) => retrainingWebhookSettingsSchema.safeParse({ url, secretPath: '/s', statePath: '/t' })

  it.each(['https://ml.example.com/retrain', 'http://10.0.0.5:8080/hook?x=a@b', 'http://[::1]:9000/'])('take %s', (url) => {
    expect(settings(url).data).toEqual({ url, secretPath: '/s', statePath: '/t', coolDownHours: 24 })
  })

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'unix:/run/x.sock',
    'https://user:pw@example.com/',
    'nowhere',
    `http://a/${'x'.repeat(2000)}`,
  ])('refuse %s', (url) => {
    expect(settings(url).success).toBe(false)
  })
})
