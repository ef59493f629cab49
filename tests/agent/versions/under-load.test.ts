import { afterEach, describe, expect, it } from 'vitest'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import type { InferenceRuntime, LoadedModel } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { ServedFolder, timesModel } from './served-folder.ts'
import { type LoadAnswer, SteadyLoad } from './steady-load.ts'

const running: ServedFolder[] = []
const loads: SteadyLoad[] = []
afterEach(async () => {
  for (const load of loads.splice(0)) await load.stop()
  for (const served of running.splice(0)) await served.remove()
})

/** Two releases: y = 2x and y = 3x. */
async function twoReleases(change: (service: ServedFolder) => void = () => {}) {
  const service = new ServedFolder()
  running.push(service)
  change(service)
  await service.settings()
  const [two, three] = [await service.release(timesModel(2)), await service.release(timesModel(3))]
  await service.start(two)
  return { service, two, three }
}

function steadyLoad(port: number, see: (answer: LoadAnswer) => void, connections = 8): SteadyLoad {
  const load = new SteadyLoad(port, connections, see)
  loads.push(load)
  return load
}

/** What is wrong with answers: counted by what it is. */
class Wrongs {
  readonly byVersion = new Map<string, number>()
  readonly wrong: unknown[] = []

  readonly #factors: Readonly<Record<string, number>>

  constructor(factors: Readonly<Record<string, number>>) {
    this.#factors = factors
  }

  readonly see = ({ status, body, x }: LoadAnswer) => {
    const factor = this.#factors[body.version]
    if (status !== 200 || factor === undefined || body.outputs.y[0] !== factor * x) this.wrong.push({ status, body, x })
    this.byVersion.set(body.version, (this.byVersion.get(body.version) ?? 0) + 1)
  }
}

/** ONNX Runtime in which models that multiply by that factor do something else. */
function spoiledRuntime(factor: number, spoil: (run: LoadedModel['run']) => LoadedModel['run']): InferenceRuntime {
  return {
    ...onnxRuntime,
    load: async (...options) => {
      const loaded = await onnxRuntime.load(...options)
      const one = await loaded.run({ x: { type: 'float32', dims: [1, 1], values: Float32Array.of(1) } })
      return one.y?.values[0] === factor ? { ...loaded, run: spoil(loaded.run) } : loaded
    },
  }
}

describe('under steady load', () => {
  it('switches between two models a hundred times without a failed or a wrong answer', async () => {
    const { service, two, three } = await twoReleases()
    const seen = new Wrongs({ [two]: 2, [three]: 3 })
    const load = steadyLoad(service.port, seen.see)
    for (let round = 0; round < 100; round++) {
      await service.bring(round % 2 === 0 ? three : two, { watchSeconds: 0 })
    }
    await load.stop()
    expect(load.broken).toEqual([])
    expect(seen.wrong).toEqual([])
    expect(load.count).toBeGreaterThan(1000)
    for (const release of [two, three]) expect(seen.byVersion.get(release)).toBeGreaterThan(100)
    const live = await service.live()
    expect(live).toMatchObject({ errors: 0, rejected: 0, versions: [{ release: two, role: 'current' }, { release: three }] })
    expect(await service.folder.readRouting()).toMatchObject({ current: two, previous: three })
  }, 180_000)

  it('a canary goes up its steps and becomes current', async () => {
    const { service, two, three } = await twoReleases()
    const seen = new Wrongs({ [two]: 2, [three]: 3 })
    const load = steadyLoad(service.port, seen.see)
    await service.bring(three, {
      kind: 'canary',
      steps: [10, 50],
      stepSeconds: 1,
      watchSeconds: 0,
      limits: { maxP95Ratio: null, minRequests: 20 },
    })
    await expect.poll(async () => (await service.live()).canary, { timeout: 5000 }).toMatchObject({ release: three, steps: [10, 50] })
    await expect.poll(async () => (await service.live()).versions[0]?.release, { timeout: 20_000 }).toBe(three)
    await load.stop()
    expect([...load.broken, ...seen.wrong]).toEqual([])
    const { events, versions } = await service.live()
    expect(events.map(({ kind, release }) => [kind, release])).toEqual([
      ['canary-step', three],
      ['canary-step', three],
      ['switched', three],
    ])
    expect(versions).toMatchObject([
      { release: three, weight: 100 },
      { release: two, role: 'previous' },
    ])
  })

  it('a canary that fails is taken back, with its reason and log kept', async () => {
    // Fails one in four of its runs; alone, as the checks run it, it never does.
    let runs = 0
    const { service, two, three } = await twoReleases((served) => {
      served.runtime = spoiledRuntime(3, (run) => async (feeds) => {
        if (feeds.x?.values[0] !== undefined && Number(feeds.x.values[0]) > 1.5 && runs++ % 4 === 0) {
          throw new EdgesmithError('MODEL_RUN_FAILED', 'The kernel failed.')
        }
        return run(feeds)
      })
    })
    const failures = new Map<number, number>()
    const load = steadyLoad(service.port, ({ status }) => failures.set(status, (failures.get(status) ?? 0) + 1))
    await service.bring(three, { kind: 'canary', steps: [20], stepSeconds: 600, limits: { minRequests: 20 } })
    // The event is written last, behind the failure.
    await expect.poll(async () => (await service.live()).events.at(-1)?.kind, { timeout: 20_000 }).toBe('rolled-back')
    await load.stop()
    expect([...failures.keys()].sort()).toEqual([200, 500])
    const failure = await service.folder.readFailure(three)
    expect(failure).toMatchObject({
      reason: expect.stringMatching(/^\d+ of \d+ requests failed, at most 1 % may$/),
      checks: [{ name: 'rollout', passed: false }],
    })
    expect((await service.live()).events.at(-1)).toMatchObject({ kind: 'rolled-back', release: three })
    expect(await service.folder.readRouting()).toMatchObject({ current: two, beside: [] })
  })

  it('a release that is slow after the switch is taken back while it is watched', async () => {
    const { service, two, three } = await twoReleases((served) => {
      served.runtime = spoiledRuntime(3, (run) => async (feeds) => {
        await new Promise((resolve) => setTimeout(resolve, 60))
        return run(feeds)
      })
    })
    const seen = new Wrongs({ [two]: 2, [three]: 3 })
    const load = steadyLoad(service.port, seen.see)
    await expect.poll(() => load.count).toBeGreaterThan(200)
    await service.bring(three, { watchSeconds: 600, limits: { minRequests: 60, maxP95Ratio: 1.5 } })
    await expect.poll(async () => (await service.live()).events.at(-1)?.kind, { timeout: 20_000 }).toBe('rolled-back')
    await load.stop()
    expect([...load.broken, ...seen.wrong]).toEqual([])
    expect((await service.folder.readFailure(three))?.reason).toMatch(/^p95 .* is .* times the .* ms of the other release/)
    expect(await service.folder.readRouting()).toMatchObject({ current: two, previous: null, watch: null })
  })

  it('a shadow that fails and differs spoils no answer, and is counted', async () => {
    let runs = 0
    const { service, two, three } = await twoReleases((served) => {
      served.runtime = spoiledRuntime(3, (run) => async (feeds) => {
        if (Number(feeds.x?.values[0]) > 1.5 && runs++ % 2 === 0) throw new Error('a bug')
        return run(feeds)
      })
    })
    const seen = new Wrongs({ [two]: 2 })
    const load = steadyLoad(service.port, seen.see)
    await service.bring(three, { kind: 'shadow' })
    await expect.poll(async () => (await service.live()).versions[1]?.compared ?? 0, { timeout: 20_000 }).toBeGreaterThan(20)
    await load.stop()
    expect([...load.broken, ...seen.wrong]).toEqual([])
    const [current, shadow] = (await service.live()).versions
    expect(current).toMatchObject({ release: two, weight: 100, errors: 0 })
    expect(shadow).toMatchObject({ release: three, kind: 'shadow', weight: 0, differing: shadow?.compared, dropped: expect.any(Number) })
    expect(shadow?.errors).toBeGreaterThan(10)
  })
})
