import { describe, expect, it } from 'vitest'
import { modelSignature } from '../../../src/agent/serve/model-signature.ts'
import { createPredictor, type RunPart } from '../../../src/agent/serve/predictor.ts'
import { SharingGain } from '../../../src/agent/serve/workers/sharing-gain.ts'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import type { LoadedModel, NamedTensors, Port } from '../../../src/core/inference-runtime.ts'

/** A model y = 10 x whose runs end when the test says so. */
function heldModel(firstDim: number | string = 'n') {
  const port = (name: string): Port => ({ name, type: 'float32', shape: [firstDim, 2] })
  const held: { readonly rows: number; readonly first: number; readonly end: (error?: Error) => void }[] = []
  const model: LoadedModel = {
    inputs: [port('x')],
    outputs: [port('y')],
    run: ({ x }) =>
      new Promise((resolve, reject) => {
        const values = x?.values as Float32Array
        const outputs: NamedTensors = { y: { type: 'float32', dims: x?.dims ?? [], values: values.map((value) => value * 10) } }
        held.push({ rows: x?.dims[0] ?? 0, first: values[0] ?? -1, end: (error) => (error ? reject(error) : resolve(outputs)) })
      }),
    close: async () => {},
  }
  return { model, held }
}

const sample = (value: number): NamedTensors => ({ x: { type: 'float32', dims: [2], values: Float32Array.of(value, value) } })
const here = { isOver: () => false }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const valuesOf = (parts: readonly RunPart[]) =>
  parts.flatMap(({ run, first, count }) => {
    const { values } = run.outputs.y as { values: Float32Array }
    return Array.from({ length: count }, (_, row) => values[(first + row) * 2])
  })

function pooled(workers: number, firstDim?: number | string) {
  const { model, held } = heldModel(firstDim)
  const runs: [rows: number, requests: number][] = []
  const meter = { ran: (rows: number, requests: number) => void runs.push([rows, requests]) }
  return { predictor: createPredictor(model, modelSignature(model.inputs, {}), meter, workers), held, runs }
}

describe('requests for a model in threads', () => {
  it('as many runs at once as there are threads; what waits shares the next ones', async () => {
    const { predictor, held, runs } = pooled(2)
    const answers = Array.from({ length: 8 }, (_, index) => predictor.predict([sample(index)], here))
    expect(held.map(({ rows }) => rows)).toEqual([1, 1])
    expect(predictor.depth).toBe(8)
    held[0]?.end()
    await turn()
    // Six wait for two threads: three of them.
    expect(held.map(({ rows }) => rows)).toEqual([1, 1, 3])
    held[1]?.end()
    await turn()
    expect(held.map(({ rows, first }) => [rows, first])).toEqual([
      [1, 0],
      [1, 1],
      [3, 2],
      [2, 5],
    ])
    for (const { end } of held) end()
    await turn()
    held.at(-1)?.end()
    expect((await Promise.all(answers)).map(valuesOf)).toEqual(Array.from({ length: 8 }, (_, index) => [index * 10]))
    expect(predictor.depth).toBe(0)
    expect(runs.reduce((sum, [rows]) => sum + rows, 0)).toBe(8)
  })

  it('a long request goes to all threads in pieces, and others get their turn between them', async () => {
    const { predictor, held } = pooled(2)
    const long = predictor.predict(
      Array.from({ length: 20 }, (_, index) => sample(index)),
      here,
    )
    const short = predictor.predict([sample(99)], here)
    let ended = 0
    for (; ended < held.length; await turn()) held[ended++]?.end()
    expect(valuesOf(await long)).toEqual(Array.from({ length: 20 }, (_, index) => index * 10))
    expect(valuesOf(await short)).toEqual([990])
    const place = held.findIndex(({ first }) => first === 99)
    expect(place).toBeGreaterThan(0)
    expect(place).toBeLessThan(held.length - 1)
    expect(Math.max(...held.map(({ rows }) => rows))).toBeLessThanOrEqual(10)
  })

  it('a shared run that fails is repeated one by one: only who cannot be run gets the error', async () => {
    const { predictor, held } = pooled(1)
    const answers = [1, 2, 3].map((value) => predictor.predict([sample(value)], here))
    const outcomes = Promise.allSettled(answers)
    held[0]?.end()
    await turn()
    expect(held[1]?.rows).toBe(2)
    held[1]?.end(new EdgesmithError('MODEL_RUN_FAILED', 'one of them'))
    await turn()
    held[2]?.end(new EdgesmithError('MODEL_RUN_FAILED', 'this one'))
    await turn()
    held[3]?.end()
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(predictor.depth).toBe(0)
  })

  it('what nobody waits for any more is not run', async () => {
    const { predictor, held } = pooled(1)
    const first = predictor.predict([sample(1)], here)
    let isOver = false
    const gone = predictor.predict([sample(2), sample(3)], { isOver: () => isOver })
    const last = predictor.predict([sample(4)], here)
    isOver = true
    held[0]?.end()
    await expect(gone).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await turn()
    held[1]?.end()
    expect(valuesOf(await first)).toEqual([10])
    expect(valuesOf(await last)).toEqual([40])
    expect(held).toHaveLength(2)
    expect(predictor.depth).toBe(0)
  })

  it('a model of a fixed batch gets full batches, the last one filled up', async () => {
    const { predictor, held } = pooled(2, 4)
    const answer = predictor.predict(
      Array.from({ length: 6 }, (_, index) => sample(index)),
      here,
    )
    await turn()
    expect(held.map(({ rows }) => rows)).toEqual([4, 4])
    for (const { end } of held) end()
    expect(valuesOf(await answer)).toEqual([0, 10, 20, 30, 40, 50])
  })

  it('tensors come back whole', async () => {
    const { predictor, held } = pooled(2)
    const answer = predictor.predictTensors({ x: { type: 'float32', dims: [3, 2], values: Float32Array.of(1, 1, 2, 2, 3, 3) } }, here)
    await turn()
    for (let ended = 0; ended < held.length; await turn()) held[ended++]?.end()
    expect(valuesOf(await answer)).toEqual([10, 20, 30])
  })
})

describe('whether sharing runs pays', () => {
  it('both ways are tried, and the clock decides; the other one is tried again', () => {
    const gain = new SharingGain(32)
    const tried = Array.from({ length: 10 }, () => {
      const shares = gain.decide()
      gain.ran(shares ? 4 : 1, shares ? 40 : 10, true)
      return shares
    })
    expect(tried.filter((shares) => shares)).toHaveLength(5)
    expect(Array.from({ length: 200 }, () => gain.decide()).filter((shares) => shares)).toHaveLength(4)
    // The machine has changed: four together now take as long as one.
    for (let run = 0; run < 30; run++) gain.ran(4, 10, true)
    expect(Array.from({ length: 100 }, () => gain.decide()).filter((shares) => !shares)).toHaveLength(2)
  })

  it('what ran while nobody waited says nothing about it', () => {
    const gain = new SharingGain(32)
    for (let run = 0; run < 20; run++) gain.ran(1, 1, false)
    const tried = Array.from({ length: 10 }, () => {
      const shares = gain.decide()
      gain.ran(shares ? 4 : 1, 10, true)
      return shares
    })
    expect(tried.filter((shares) => shares)).toHaveLength(5)
    expect(gain.decide()).toBe(true)
  })

  it('shared runs stay short', () => {
    const gain = new SharingGain(32)
    expect(gain.rows).toBe(4)
    gain.ran(1, 0.1, false)
    expect(gain.rows).toBe(32)
    for (let run = 0; run < 60; run++) gain.ran(2, 100, true)
    expect(gain.rows).toBe(4)
    for (let run = 0; run < 60; run++) gain.ran(1, 150, true)
    expect(gain.rows).toBe(2)
    for (let run = 0; run < 60; run++) gain.ran(1, 400, false)
    expect(gain.rows).toBe(1)
  })
})
