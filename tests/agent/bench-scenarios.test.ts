import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { agentResultSchemas } from '../../src/contract/agent-protocol.ts'
import type { BenchResult } from '../../src/contract/measurement.ts'
import { linearModel, lookUpModel, multiInputModel, slowModel } from '../engine/measure/small-models.ts'
import { type AgentBundle, bundleAgent } from './agent-bundle.ts'
import { AgentProcess, isAlive } from './agent-process.ts'

let bundle: AgentBundle
const file = (name: string) => join(bundle.folder, name)

beforeAll(async () => {
  bundle = await bundleAgent()
  await writeFile(file('linear.onnx'), linearModel('N', [[1, 2]]))
  await writeFile(file('inputs.onnx'), multiInputModel())
  // A few milliseconds a run.
  await writeFile(file('slow.onnx'), slowModel(256, 10))
  // Made-up indices are 1: loads, and fails in every run.
  await writeFile(file('failing.onnx'), lookUpModel(1))
})
afterAll(() => bundle.remove())

const request = (model: string, settings: object) => ({
  command: 'bench',
  model: file(model),
  settings: { warmupRuns: 5, warmupSeconds: 0, ...settings },
})

/** Runs a benchmark and checks what holds for all of them. */
async function bench(model: string, settings: object): Promise<BenchResult> {
  const agent = AgentProcess.run(bundle)
  const answer = await agent.answer(request(model, settings))
  expect(answer.type === 'error' ? answer.error : undefined, agent.stderr).toBeUndefined()
  expect(agent.stderr).toBe('')
  const result = agentResultSchemas.bench.parse(answer.type === 'result' && answer.value)
  expect(result.latenciesMs).toHaveLength(result.samples)
  expect(result.offsetsMs).toHaveLength(result.samples)
  expect(result.offsetsMs[0]).toBe(0)
  for (let i = 1; i < result.samples; i++) expect(result.offsetsMs[i]).toBeGreaterThanOrEqual(result.offsetsMs[i - 1] as number)
  expect(result.loadMs).toBeGreaterThan(0)
  expect(result.firstInferenceMs).toBeGreaterThan(0)
  expect(result.cpuMsPerInference).toBeGreaterThan(0)
  expect(result.peakRssBytes).toBeGreaterThan(result.idleRssBytes / 2)
  expect(result.noise.label).not.toBe('unknown')
  const phases = agent.messages.flatMap((message) => (message.type === 'progress' ? [message.progress.phase] : []))
  expect([...new Set(phases)].filter((phase) => phase !== 'warm-up')).toEqual(['preflight', 'load', 'measure'])
  return result
}

/** Processes whose parent is that one. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return Number(fields[1]) === pid ? [Number(name)] : []
    } catch {
      return []
    }
  })
}

describe('scenarios in the bundled agent', () => {
  it('offline: several streams share the runs', async () => {
    const found = await bench('linear.onnx', { scenario: 'offline', streams: 3, runs: 2000, batch: 4 })
    expect(found).toMatchObject({ samples: 2000, steady: null, load: null })
    expect(found.warmupRuns).toBeGreaterThanOrEqual(15)
    const timed = await bench('linear.onnx', { scenario: 'offline', streams: 2, seconds: 0.3 })
    expect(timed.offsetsMs.at(-1)).toBeLessThan(60_000)
    expect(timed.samples).toBeGreaterThan(2)
  })

  it('server: answers every request, and tells waiting from service', async () => {
    const found = await bench('linear.onnx', { scenario: 'server', rate: 500, runs: 400 })
    expect(found.samples).toBe(400)
    expect(found.load).toMatchObject({ offeredPerSecond: 500, errors: 0 })
    expect(found.load?.serviceMs.p50).toBeLessThanOrEqual(found.latencyMs.p50)
    // 400 gaps of 2 ms on average, the same in every run.
    expect(found.offsetsMs.at(-1)).toBeGreaterThan(600)
    expect(found.offsetsMs.at(-1)).toBeLessThan(1000)
  })

  it('http: real requests to our server, closed and open loop', async () => {
    const closed = await bench('linear.onnx', { scenario: 'http', connections: 4, runs: 200 })
    expect(closed.samples).toBe(200)
    expect(closed.load).toMatchObject({ offeredPerSecond: null, errors: 0, overloaded: false })
    expect(closed.load?.longestQueue).toBeLessThanOrEqual(4)
    // What the server says it spent is part of what the client saw.
    expect(closed.load?.serviceMs.min).toBeLessThan(closed.latencyMs.p50)
    const open = await bench('inputs.onnx', { scenario: 'http', rate: 100, runs: 60, batch: 3 })
    expect(open.samples).toBe(60)
    expect(open.load).toMatchObject({ offeredPerSecond: 100, errors: 0 })
    expect(open.warnings.join()).toContain('"S"')
  })

  it('give coded errors', async () => {
    const failures: [string, object, string][] = [
      ['linear.onnx', { scenario: 'server' }, 'USAGE'],
      ['linear.onnx', { streams: 2 }, 'USAGE'],
      ['linear.onnx', { scenario: 'http', rate: 5, connections: 2 }, 'USAGE'],
      ['failing.onnx', { scenario: 'server', rate: 10 }, 'MODEL_RUN_FAILED'],
      ['failing.onnx', { scenario: 'offline', streams: 2 }, 'MODEL_RUN_FAILED'],
      ['failing.onnx', { scenario: 'http' }, 'MODEL_RUN_FAILED'],
      ['agent.cjs', { scenario: 'offline', streams: 2 }, 'MODEL_LOAD_FAILED'],
      ['agent.cjs', { scenario: 'http' }, 'MODEL_LOAD_FAILED'],
      ['missing.onnx', { scenario: 'http' }, 'FILE_NOT_FOUND'],
    ]
    await Promise.all(
      failures.map(async ([model, settings, code]) => {
        const agent = AgentProcess.run(bundle)
        const answer = await agent.answer(request(model, settings))
        expect(answer.type === 'error' && answer.error.code, `${model} ${JSON.stringify(settings)}`).toBe(code)
        expect(await agent.ended).toEqual({ code: 1, signal: null })
      }),
    )
  })

  it('end when the host goes away, threads and all', async () => {
    for (const settings of [
      { scenario: 'server', rate: 50, seconds: 3600 },
      { scenario: 'offline', streams: 2, seconds: 3600 },
    ]) {
      const agent = AgentProcess.run(bundle)
      agent.write(JSON.stringify(request('slow.onnx', settings)))
      await agent.reached('measure')
      agent.child.stdin?.end()
      const ending = await agent.ended
      expect([130, null], `${JSON.stringify(settings)}: ${JSON.stringify(ending)}`).toContain(ending.code)
      expect(agent.messages.at(-1)?.type).toBe('progress')
    }
  })

  it.runIf(existsSync('/proc/self/stat'))('leave no server behind, whether cancelled or killed', async () => {
    for (const end of ['cancel', 'kill'] as const) {
      const agent = AgentProcess.run(bundle)
      agent.write(JSON.stringify(request('linear.onnx', { scenario: 'http', rate: 50, seconds: 3600 })))
      await agent.reached('measure')
      const servers = childrenOf(agent.child.pid as number)
      expect(servers).toHaveLength(1)
      const [server] = servers as [number]
      const [, , , configPath] = readFileSync(`/proc/${server}/cmdline`, 'utf8').split('\0')
      expect(configPath).toMatch(/edgesmith-server-\w+\/service\.json$/)
      expect(existsSync(dirname(configPath as string))).toBe(false)
      if (end === 'cancel') agent.child.stdin?.end()
      else agent.child.kill('SIGKILL')
      await agent.ended
      await expect.poll(() => isAlive(server), { timeout: 20_000 }).toBe(false)
    }
  })

  it.runIf(existsSync('/proc/self/stat'))('say so when the server dies in the middle', async () => {
    const agent = AgentProcess.run(bundle)
    agent.write(JSON.stringify(request('linear.onnx', { scenario: 'http', connections: 2, seconds: 3600 })))
    await agent.reached('measure')
    const [server] = childrenOf(agent.child.pid as number)
    process.kill(server as number, 'SIGKILL')
    await agent.ended
    expect(agent.messages.at(-1)).toMatchObject({
      type: 'error',
      error: { code: 'ENGINE_DIED', message: expect.stringContaining('SIGKILL') },
    })
  })
})
