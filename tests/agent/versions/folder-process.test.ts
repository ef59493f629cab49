import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { ServiceFolder } from '../../../src/agent/services/service-folder.ts'
import { type Routing, rolloutSchema } from '../../../src/contract/routing.ts'
import type { ServiceSettingsFile } from '../../../src/contract/service.ts'
import { slowModel } from '../../engine/measure/small-models.ts'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { AgentProcess } from '../agent-process.ts'
import { loggedPredictions } from '../monitor/logged-predictions.ts'
import { send, TOKEN } from '../service-fixture.ts'
import { timesModel } from './served-folder.ts'

let bundle: AgentBundle
let folders = 0
const running: AgentProcess[] = []

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

async function newFolder(settings: Partial<ServiceSettingsFile> = {}): Promise<ServiceFolder> {
  const folder = new ServiceFolder(join(bundle.folder, `root ${folders++}`, 'services', 'test'))
  await mkdir(folder.path, { recursive: true })
  await folder.writeSettings({ service: 'test', host: '127.0.0.1', port: 0, ...settings })
  await writeFile(folder.at('token'), `${TOKEN}\n`, { mode: 0o600 })
  return folder
}

async function release(folder: ServiceFolder, model: Uint8Array): Promise<string> {
  const modelSha256 = createHash('sha256').update(model).digest('hex')
  const modelPath = folder.at(`${modelSha256}.onnx`)
  await writeFile(modelPath, model)
  const facts = { modelName: 'Test model', modelPath, modelSha256, preprocessing: {}, labels: null, accuracy: null, latencyP50Ms: null }
  return folder.writeRelease(facts)
}

/** Starts the serving process and waits until it serves. */
async function serve(folder: ServiceFolder): Promise<{ agent: AgentProcess; port: number }> {
  const agent = new AgentProcess(bundle, ['serve', folder.path])
  agent.child.stdout?.resume()
  running.push(agent)
  const pid = agent.child.pid
  await expect.poll(async () => (await folder.readState())?.pid === pid || agent.child.exitCode !== null, { timeout: 30_000 }).toBe(true)
  const state = await folder.readState()
  if (!state || state.pid !== pid) throw new Error(agent.stderr)
  return { agent, port: state.port }
}

const routing = (current: string): Routing => ({ version: 1, current, previous: null, beside: [], watch: null })
const traffic = (port: number, body: unknown) => send(port, '/control/traffic', { body })

it('serves a folder, and takes back what was being tried when the process was killed', async () => {
  const folder = await newFolder({ predictionLog: {} })
  const [two, three, four] = [
    await release(folder, timesModel(2)),
    await release(folder, timesModel(3)),
    await release(folder, timesModel(4)),
  ]
  await folder.writeRouting(routing(two))
  const first = await serve(folder)
  expect((await send(first.port, '/predict', { body: { input: [1] } })).body).toMatchObject({ version: two, outputs: { y: [2] } })
  for (const [version, kind] of [
    [three, 'switch'],
    [four, 'shadow'],
  ] as const) {
    expect((await send(first.port, '/control/prepare', { body: { release: version, gate: { runs: 20 } } })).body).toMatchObject({
      passed: true,
    })
    const rollout = rolloutSchema.parse({ kind, watchSeconds: 3600, limits: { maxP95Ratio: null } })
    expect((await traffic(first.port, { action: 'roll-out', release: version, rollout })).status).toBe(200)
  }
  expect((await send(first.port, '/predict', { body: { input: [1] } })).body).toMatchObject({ version: three, outputs: { y: [3] } })

  first.agent.child.kill('SIGKILL')
  await first.agent.ended
  const second = await serve(folder)
  expect((await send(second.port, '/predict', { body: { input: [1] } })).body).toMatchObject({ version: two, outputs: { y: [2] } })
  expect(await folder.readRouting()).toMatchObject({ current: two, previous: null, beside: [], watch: null })
  for (const version of [three, four]) {
    expect((await folder.readFailure(version))?.reason).toBe('The serving process crashed while this release was being tried.')
  }
  expect((await folder.readEvents(10)).map(({ kind, release: id }) => [kind, id])).toEqual([
    ['switched', three],
    ['weights', four],
    ['rolled-back', three],
    ['rolled-back', four],
  ])

  second.agent.child.kill('SIGTERM')
  expect(await second.agent.ended).toEqual({ code: 0, signal: null })
  expect(second.agent.stderr).toBe('')
  for (const name of ['state.json', 'serving.json']) expect(existsSync(folder.at(name)), name).toBe(false)
  // Each row says which release answered; what waited was written at the end.
  const rows = [...loggedPredictions(folder.predictionsPath, 'jsonl')].join('').trimEnd().split('\n')
  expect(rows.map((row) => JSON.parse(row).version).filter((version) => version === two).length).toBeGreaterThan(0)
})

it('goes on watching after an orderly stop, and runs a big model in workers', async () => {
  const folder = await newFolder()
  const [small, big] = [await release(folder, timesModel(2)), await release(folder, slowModel(256, 12))]
  await folder.writeRouting(routing(small))
  const first = await serve(folder)
  const prepared = await send(first.port, '/control/prepare', { body: { release: big, gate: { runs: 20, maxLatencyMs: 60_000 } } })
  expect(prepared.body).toMatchObject({ passed: true, latencyP95Ms: expect.any(Number) })
  const rollout = rolloutSchema.parse({ watchSeconds: 3600 })
  const { body } = await traffic(first.port, { action: 'roll-out', release: big, rollout })
  expect(body.versions).toMatchObject([
    { release: big, runsOn: 'workers', workers: expect.any(Number) },
    { release: small, runsOn: 'answering thread', workers: 0 },
  ])
  first.agent.child.kill('SIGTERM')
  expect((await first.agent.ended).code).toBe(0)
  const second = await serve(folder)
  const live = await send(second.port, '/control/live')
  expect(live.body).toMatchObject({
    watch: { release: big },
    versions: [
      { release: big, runsOn: 'workers' },
      { release: small, runsOn: 'not loaded' },
    ],
  })
  second.agent.child.kill('SIGTERM')
  expect((await second.agent.ended).code).toBe(0)
})
