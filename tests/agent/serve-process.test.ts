import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ServiceConfig, serviceStateSchema } from '../../src/contract/service.ts'
import { linearModel, slowModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, BUNDLE_VERSION, bundleAgent } from './agent-bundle.ts'
import { AgentProcess } from './agent-process.ts'
import { send, serviceConfig, TOKEN } from './service-fixture.ts'

let bundle: AgentBundle
const running: AgentProcess[] = []
let folders = 0

beforeAll(async () => {
  bundle = await bundleAgent()
})
afterAll(() => bundle.remove())
afterEach(async () => {
  for (const agent of running.splice(0)) {
    agent.child.kill('SIGKILL')
    await agent.ended
  }
})

/** A release's folder: model, token, configuration. */
async function release(model: Uint8Array, changes: Partial<ServiceConfig> = {}): Promise<ServiceConfig & { readonly path: string }> {
  const folder = join(bundle.folder, `release ${folders++}`)
  await mkdir(folder)
  const config = serviceConfig(model, {
    modelPath: join(folder, 'model.onnx'),
    tokenPath: join(folder, 'token'),
    statePath: join(folder, 'state.json'),
    ...changes,
  })
  await writeFile(join(folder, 'model.onnx'), model)
  await writeFile(join(folder, 'token'), `${TOKEN}\n`, { mode: 0o600 })
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
  return { ...config, path: join(folder, 'config.json') }
}

interface Serving {
  readonly agent: AgentProcess
  readonly events: Record<string, unknown>[]
}

function serve(path: string): Serving {
  const agent = new AgentProcess(bundle, ['serve', path])
  // Nobody holds on to a service: it must not care that its standard input ends.
  agent.child.stdin?.end()
  running.push(agent)
  const events: Serving['events'] = []
  let rest = ''
  agent.child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    events.push(...lines.map((line) => JSON.parse(line)))
  })
  return { agent, events }
}

async function stateOf(config: ServiceConfig, agent: AgentProcess) {
  await expect.poll(() => existsSync(config.statePath) || agent.child.exitCode !== null, { timeout: 20_000 }).toBe(true)
  return serviceStateSchema.parse(JSON.parse(await readFile(config.statePath, 'utf8')))
}

const model = linearModel('N', [
  [1, 2],
  [3, 4],
])

describe('agent serve', () => {
  it('writes its state, answers, ignores a log-out, and leaves nothing behind when told to stop', async () => {
    const config = await release(model)
    const { agent, events } = serve(config.path)
    const state = await stateOf(config, agent)
    expect(state.pid).toBe(agent.child.pid)
    const reply = await send(state.port, '/predict', { body: { input: [1, 1] } })
    expect(reply).toMatchObject({ status: 200, body: { outputs: { y: [4, 6] } } })
    // Swagger UI lies beside the bundle.
    const library = await readFile(join(import.meta.dirname, '../../node_modules/swagger-ui-dist/swagger-ui-bundle.js'), 'utf8')
    expect((await send(state.port, '/docs/swagger-ui.js', { anonymous: true })).body === library).toBe(true)
    agent.child.kill('SIGHUP')
    expect((await send(state.port, '/health')).body).toMatchObject({ status: 'ok', version: 'release-1' })
    expect((await send(state.port, '/health', { anonymous: true })).status).toBe(401)

    agent.child.kill('SIGTERM')
    expect(await agent.ended).toEqual({ code: 0, signal: null })
    expect(existsSync(config.statePath)).toBe(false)
    expect(events).toMatchObject([
      { level: 'info', event: 'loaded', loadMs: expect.any(Number), firstRunMs: expect.any(Number), idleRssBytes: expect.any(Number) },
      { level: 'info', event: 'started', service: 'test', port: state.port, pid: state.pid, version: 'release-1', agent: BUNDLE_VERSION },
      { level: 'info', event: 'stopping', signal: 'SIGTERM' },
      { level: 'info', event: 'stopped' },
    ])
    expect(agent.stderr).toBe('')
    expect(JSON.stringify(events)).not.toContain(TOKEN)
  })

  it('answers what is in flight before it ends', async () => {
    const config = await release(slowModel(512, 40))
    const { agent } = serve(config.path)
    const { port } = await stateOf(config, agent)
    const row = new Array(512).fill(1)
    const body = JSON.stringify({ input: new Array(512).fill(row) })
    const answers = Array.from({ length: 3 }, () => send(port, '/predict', { body }))
    // The first is being worked on when the count appears; the signal comes in the middle of the others.
    await expect.poll(async () => (await send(port, '/stats')).body.requests, { timeout: 20_000 }).toBeGreaterThan(0)
    agent.child.kill('SIGTERM')
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
    expect((await agent.ended).code).toBe(0)
  })

  it('ends with 3 and says so when its port is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const config = await release(model, { port: typeof address === 'object' && address ? address.port : 0 })
    const { agent } = serve(config.path)
    expect((await agent.ended).code).toBe(3)
    expect(JSON.parse(agent.stderr)).toMatchObject({ level: 'error', event: 'failed', code: 'PORT_TAKEN', hint: expect.any(String) })
    expect(existsSync(config.statePath)).toBe(false)
    other.close()
  })

  it('says in one line why it cannot start', async () => {
    const failures: [string, number, string, (config: Awaited<ReturnType<typeof release>>) => Promise<unknown>][] = [
      ['no configuration', 1, 'FILE_NOT_FOUND', async () => '/nowhere/config.json'],
      ['broken configuration', 2, 'USAGE', ({ path }) => writeFile(path, '{')],
      ['open to the network', 2, 'USAGE', ({ path, ...config }) => writeFile(path, JSON.stringify({ ...config, host: '0.0.0.0' }))],
      [
        'no token',
        1,
        'FILE_NOT_FOUND',
        ({ path, ...config }) => writeFile(path, JSON.stringify({ ...config, tokenPath: '/nowhere/token' })),
      ],
      ['short token', 2, 'USAGE', ({ tokenPath }) => writeFile(tokenPath, 'short')],
      ['token for all', 2, 'USAGE', ({ tokenPath }) => chmod(tokenPath, 0o644)],
      [
        'no model',
        1,
        'FILE_NOT_FOUND',
        ({ path, ...config }) => writeFile(path, JSON.stringify({ ...config, modelPath: '/nowhere/m.onnx' })),
      ],
      ['another model', 1, 'BUNDLE_CORRUPT', ({ modelPath }) => writeFile(modelPath, slowModel(2, 1))],
      [
        'no model at all',
        1,
        'MODEL_LOAD_FAILED',
        async ({ path, modelPath, ...config }) => {
          await writeFile(modelPath, 'text')
          const modelSha256 = createHash('sha256').update('text').digest('hex')
          await writeFile(path, JSON.stringify({ ...config, modelPath, modelSha256 }))
        },
      ],
    ]
    await Promise.all(
      failures.map(async ([name, exitCode, code, spoil]) => {
        const config = await release(model)
        const path = (await spoil(config)) ?? config.path
        const { agent } = serve(String(path))
        expect((await agent.ended).code, name).toBe(exitCode)
        expect(agent.stderr.trim().split('\n'), name).toHaveLength(1)
        expect(JSON.parse(agent.stderr), name).toMatchObject({ level: 'error', event: 'failed', code })
        expect(existsSync(config.statePath)).toBe(false)
      }),
    )
  })
})
