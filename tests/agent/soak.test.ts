import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AgentBundle, bundleAgent } from './agent-bundle.ts'
import { AgentProcess } from './agent-process.ts'
import { serviceConfig, TOKEN } from './service-fixture.ts'
import { hasGrown, memoryTrend } from './soak/memory-trend.ts'
import { soak } from './soak/soak.ts'
import { soakLabels, soakModel } from './soak/soak-requests.ts'

let bundle: AgentBundle
beforeAll(async () => {
  bundle = await bundleAgent()
})
afterAll(() => bundle.remove())

describe('memoryTrend', () => {
  /** A heap that fills and is swept, with noise, and so many bytes more every second. */
  const samples = (perSecond: number) =>
    Array.from({ length: 120 }, (_, second) => ({
      atMs: second * 1000,
      rssBytes: 80e6 + perSecond * second + ((second * 7) % 11) * 200_000 + (second < 30 ? -1e6 * (30 - second) : 0),
    }))

  it('sees a leak, and none in a heap that is swept', () => {
    expect(hasGrown(memoryTrend(samples(0)), 0)).toBe(false)
    const leak = memoryTrend(samples(50_000))
    expect(hasGrown(leak, 1e6)).toBe(true)
    expect(leak.growthBytes).toBeGreaterThan(3.5e6)
    expect(leak.growthBytes).toBeLessThan(5e6)
    expect(() => memoryTrend(samples(0).slice(0, 39))).toThrow(RangeError)
  })
})

describe('a service under steady mixed load', () => {
  const seconds = 120

  // bench/soak.ts does the same for an hour, on a service that was deployed.
  it('answers everything as it must, does not grow, and loses nothing when it is told to stop', async () => {
    const folder = join(bundle.folder, 'service')
    await mkdir(folder)
    const at = (name: string) => join(folder, name)
    const config = serviceConfig(soakModel, {
      modelPath: at('model.onnx'),
      tokenPath: at('token'),
      statePath: at('state.json'),
      labels: soakLabels,
    })
    await writeFile(at('model.onnx'), soakModel)
    await writeFile(at('token'), TOKEN, { mode: 0o600 })
    await writeFile(at('config.json'), JSON.stringify(config))
    const agent = new AgentProcess(bundle, ['serve', at('config.json')])
    const port = await new Promise<number>((resolve, reject) => {
      let said = ''
      agent.child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString('utf8')
        const found = /"event":"started".*?"port":(\d+)/.exec(said)?.[1]
        if (found !== undefined) resolve(Number(found))
      })
      void agent.ended.then((ending) => reject(new Error(`it ended: ${JSON.stringify(ending)} ${agent.stderr}`)))
    })
    const stop = () => {
      agent.child.kill('SIGTERM')
      return agent.ended
    }
    const found = await soak(
      { port, token: TOKEN, service: config.service, stop },
      { seconds, requestsPerSecond: 150, connections: 8, warmupRequests: 10_000, memoryEveryMs: 1000 },
    )
    expect(found.failures).toEqual([])
    expect(Object.keys(found.answered).sort()).toEqual([
      'GET /health',
      'GET /metrics',
      'V2 JSON',
      'V2 binary',
      'batch',
      'refused 400',
      'refused 401',
      'refused 404',
      'refused 405',
      'refused 415',
      'refused 422',
      'single',
    ])
    expect(Object.values(found.answered).reduce((sum, count) => sum + count, 0)).toBe(seconds * 150)
    // Two minutes show only a leak that matters: some hundred bytes a request.
    expect({ ...found.memory, grown: hasGrown(found.memory, 10e6) }).toMatchObject({ grown: false })
    expect(found.drain).toMatchObject({ lost: 0, wrong: 0 })
    expect(found.drain.answered).toBeGreaterThan(0)
    expect((await agent.ended).code).toBe(0)
    expect(agent.stderr).toBe('')
  }, 300_000)
})
