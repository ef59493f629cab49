import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { loadPooledModel, type PooledModel, type PooledModelOptions } from '../../../src/agent/serve/workers/pooled-model.ts'
import { RestartPauses } from '../../../src/agent/serve/workers/restart-pauses.ts'
import { workerCount } from '../../../src/agent/serve/workers/worker-count.ts'
import type { NamedTensors, RuntimeTensor } from '../../../src/core/inference-runtime.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { type AgentBundle, bundleAgent } from '../agent-bundle.ts'
import { matmulChain } from './matmul-chain.ts'

const SIZE = 64
const model = matmulChain(4, SIZE)
const modelSha256 = createHash('sha256').update(model).digest('hex')
let bundle: AgentBundle
let folder: string
let modelPath: string
let pools: PooledModel[] = []
let threads: Worker[] = []

/** The agent's own thread, as `loadPooledModel` starts it in the agent. */
const startThread = (options: WorkerOptions): Worker => {
  const worker = new Worker(bundle.entry, { ...options, argv: ['model'] })
  threads.push(worker)
  return worker
}

async function pooled(options: Partial<PooledModelOptions> = {}): Promise<PooledModel> {
  const pool = await loadPooledModel({ modelPath, modelSha256, threads: 1, workers: 2, startThread, ...options })
  pools.push(pool)
  return pool
}

const feeds = (rows: number, seed = 0): NamedTensors => ({
  x: { type: 'float32', dims: [rows, SIZE], values: Float32Array.from({ length: rows * SIZE }, (_, index) => Math.cos(index + seed)) },
})
/** Ends a thread as running out of memory would; it must not be in a run. */
const kill = (worker: Worker | undefined) => worker?.terminate()

beforeAll(async () => {
  bundle = await bundleAgent()
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-pool-'))
  modelPath = join(folder, 'model.onnx')
  await writeFile(modelPath, model)
})
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()))
  pools = []
  threads = []
})
afterAll(async () => {
  await bundle.remove()
  await rm(folder, { recursive: true, force: true })
})

describe('a model in threads', () => {
  it('answers as the same model on this thread does, many runs at once, and leaves what it was given readable', async () => {
    const here = await onnxRuntime.load(model)
    const pool = await pooled()
    expect(pool.workers).toBe(2)
    expect(pool.inputs).toEqual(here.inputs)
    expect(pool.outputs).toEqual(here.outputs)
    const given = Array.from({ length: 20 }, (_, index) => feeds((index % 3) + 1, index))
    const answers = await Promise.all(given.map((each) => pool.run(each)))
    for (const [index, each] of given.entries()) {
      expect(each.x?.values).toHaveLength(((index % 3) + 1) * SIZE)
      expect(answers[index]).toEqual(await here.run(each))
    }
    // A row of a larger tensor: only the row goes over, not what lies around it.
    const all = feeds(5).x?.values as Float32Array
    const row = await pool.run({ x: { type: 'float32', dims: [1, SIZE], values: all.subarray(2 * SIZE, 3 * SIZE) } })
    const rows = await here.run(feeds(5))
    const found = row.y?.values as Float32Array
    const expected = ((rows.y as RuntimeTensor).values as Float32Array).subarray(2 * SIZE, 3 * SIZE)
    expect(Math.max(...expected.map((value, index) => Math.abs(value - (found[index] ?? Number.NaN))))).toBeLessThan(1e-6)
    await here.close()
  })

  it('brings errors back with their code, and goes on', async () => {
    const pool = await pooled()
    const wrong = { x: { type: 'float32' as const, dims: [1, 3], values: new Float32Array(3) } }
    await expect(pool.run(wrong)).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED', message: expect.stringContaining('[1,3]') })
    expect(Object.keys(await pool.run(feeds(1)))).toEqual(['y'])
  })

  it('does not load a file that is another one, broken or not there, and leaves no thread', async () => {
    await expect(pooled({ modelSha256: '0'.repeat(64) })).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT' })
    const broken = join(folder, 'broken.onnx')
    await writeFile(broken, Buffer.alloc(100, 7))
    const { modelSha256: _, ...unknown } = { modelSha256 }
    await expect(loadPooledModel({ ...unknown, modelPath: broken, threads: 1, workers: 2, startThread })).rejects.toMatchObject({
      code: 'MODEL_LOAD_FAILED',
    })
    await expect(pooled({ modelPath: join(folder, 'none.onnx') })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
    expect(threads.map(({ threadId }) => threadId)).toEqual(threads.map(() => -1))
  })

  it('starts a thread again that died; its runs fail, later ones do not', async () => {
    const ends: [string, number][] = []
    const pool = await pooled({ workers: 1, onThreadEnd: (...end) => void ends.push(end) })
    const end = kill(threads[0])
    // Given to a thread that is on its way out.
    const lost = pool.run(feeds(1))
    await expect(lost).rejects.toMatchObject({ code: 'MODEL_RUN_FAILED', message: expect.stringContaining('ended') })
    await end
    // Its successor is still loading: the run waits for it.
    expect((await pool.run(feeds(2))).y?.dims).toEqual([2, SIZE])
    expect(ends).toEqual([['without a word', 0]])
    expect(pool.state).toMatchObject({ threadEnds: 1, readyThreads: 1, downtime: null })
    expect(threads).toHaveLength(2)
  })

  it('refuses at once while its thread dies again and again, and comes back by itself when it does not any more', async () => {
    const ends: number[] = []
    const pool = await pooled({ workers: 1, firstPauseMs: 3_600_000, onThreadEnd: (_, pauseMs) => void ends.push(pauseMs) })
    for (let round = 0; round < 6; round++) {
      await kill(threads.at(-1))
      if (round < 5) await pool.run(feeds(1))
    }
    // The longest pause there is.
    expect(ends).toEqual([0, 0, 0, 0, 0, 300_000])
    expect(pool.state).toMatchObject({ threadEnds: 6, readyThreads: 0, downtime: { reason: 'without a word', retrySeconds: 300 } })
    await expect(pool.run(feeds(1))).rejects.toMatchObject({
      code: 'NOT_READY',
      headers: { 'retry-after': '300' },
      message: expect.stringContaining('end again and again'),
    })
    const back = await pooled({ workers: 1, firstPauseMs: 1 })
    for (let round = 0; round < 6; round++) {
      await kill(threads.at(-1))
      if (round < 5) await back.run(feeds(1))
    }
    await expect.poll(() => back.state.downtime, { timeout: 30_000 }).toBeNull()
    expect((await back.run(feeds(2))).y?.dims).toEqual([2, SIZE])
  })

  it('goes on trying where the system gives no thread', async () => {
    let isFull = false
    const scarce = (options: WorkerOptions): Worker => {
      if (isFull) throw new Error('no thread left')
      return startThread(options)
    }
    const pool = await pooled({ workers: 1, firstPauseMs: 1, startThread: scarce })
    isFull = true
    await kill(threads[0])
    expect(pool.state).toMatchObject({ readyThreads: 0, downtime: { reason: 'no thread left' } })
    isFull = false
    await expect.poll(() => pool.state.downtime, { timeout: 30_000 }).toBeNull()
    expect((await pool.run(feeds(2))).y?.dims).toEqual([2, SIZE])
  })

  it('finishes what it was given before it closes, time and again', async () => {
    for (let round = 0; round < 3; round++) {
      const pool = await pooled({ workers: 2 })
      const runs = Array.from({ length: 6 }, () => pool.run(feeds(8)))
      await pool.close()
      for (const run of runs) expect((await run).y?.dims).toEqual([8, SIZE])
    }
    expect(threads.every(({ threadId }) => threadId === -1)).toBe(true)
  })
})

describe('when a thread that died is started again', () => {
  it('at once five times, then after pauses that double; a minute without a death and all is forgotten', () => {
    const pauses = new RestartPauses(5000)
    expect([0, 1, 2, 3, 4].map((at) => pauses.died(at))).toEqual([0, 0, 0, 0, 0])
    expect(pauses.isPausing).toBe(false)
    expect([5, 5010, 20_000, 50_000].map((at) => pauses.died(at))).toEqual([5000, 10_000, 20_000, 40_000])
    expect(pauses.isPausing).toBe(true)
    // A minute since that death is not a minute of life: the thread was started 40 seconds later.
    expect(pauses.died(111_000)).toBe(80_000)
    expect(pauses.died(111_000 + 80_000 + 60_001)).toBe(0)
    expect(pauses.isPausing).toBe(false)
  })
})

describe('how many threads', () => {
  const board = { processors: 4, memoryBytes: 2 * 2 ** 30, threads: 1, modelBytes: 10 * 2 ** 20 }

  it('as many as processors are there for', () => {
    expect(workerCount(board)).toBe(4)
    expect(workerCount({ ...board, threads: 2 })).toBe(2)
    expect(workerCount({ ...board, threads: 8 })).toBe(1)
    expect(workerCount({ ...board, processors: 64, memoryBytes: 2 ** 40 })).toBe(8)
  })

  it('and no more than fit into a quarter of the memory', () => {
    // 512 MB for copies of 3 × 60 + 40 MB: two.
    expect(workerCount({ ...board, modelBytes: 60 * 2 ** 20 })).toBe(2)
    expect(workerCount({ ...board, modelBytes: 2 ** 30 })).toBe(1)
  })
})
