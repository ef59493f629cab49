import { describe, expect, it } from 'vitest'
import { EdgesmithError } from '../../../src/contract/errors.ts'
import { halfToFloat } from '../../../src/core/float16.ts'
import type { Port } from '../../../src/core/inference-runtime.ts'
import { makeBenchmarkInputs } from '../../../src/engine/measure/benchmark-inputs.ts'

function port(name: string, type: Port['type'], shape: Port['shape']): Port {
  return { name, type, shape }
}

function errorOf(inputs: readonly Port[], batch: number): EdgesmithError {
  try {
    makeBenchmarkInputs(inputs, batch)
  } catch (error) {
    if (error instanceof EdgesmithError) return error
    throw error
  }
  throw new Error('expected an error')
}

describe('makeBenchmarkInputs', () => {
  it('fills every element type with values that type can have', () => {
    const types = [
      'float32',
      'float64',
      'float16',
      'uint8',
      'int8',
      'bool',
      'uint16',
      'int16',
      'uint32',
      'int32',
      'uint64',
      'int64',
    ] as const
    const { feeds } = makeBenchmarkInputs(
      types.map((type) => port(type, type, ['N', 200])),
      3,
    )
    for (const type of types) {
      const tensor = feeds[type]
      expect(tensor).toMatchObject({ type, dims: [3, 200] })
      expect(tensor?.values).toHaveLength(600)
    }
    const values = (name: string) => Array.from((feeds[name]?.values ?? []) as Float32Array)
    const unit = { float32: values('float32'), float64: values('float64'), float16: values('float16').map(halfToFloat) }
    for (const list of Object.values(unit)) {
      expect(list.every((value) => value >= 0 && value <= 1)).toBe(true)
      expect(new Set(list).size).toBeGreaterThan(300)
    }
    expect(Math.max(...values('uint8'))).toBeGreaterThan(200)
    expect(Math.min(...values('int8'))).toBeLessThan(-100)
    for (const name of ['bool', 'uint16', 'int16', 'uint32', 'int32']) expect(new Set(values(name))).toEqual(new Set([1]))
    expect(feeds.int64?.values[0]).toBe(1n)
    expect(feeds.uint64?.values[0]).toBe(1n)
  })

  it('gives the same values every time', () => {
    const inputs = [port('x', 'float32', ['N', 4])]
    expect(makeBenchmarkInputs(inputs, 2)).toEqual(makeBenchmarkInputs(inputs, 2))
  })

  it('sizes open dimensions by rule and says so', () => {
    const { feeds, assumptions } = makeBenchmarkInputs(
      [
        port('image', 'float32', ['N', 3, 'height', undefined]),
        port('ids', 'int64', ['N', 'sequence']),
        port('mask', 'int64', ['N', 'sequence']),
        port('states', 'float32', [2, 'N', 'sequence_length', 'k']),
        port('scalar', 'float32', []),
      ],
      5,
    )
    const dims = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, tensor.dims]))
    expect(dims).toEqual({
      image: [5, 3, 224, 224],
      ids: [5, 128],
      mask: [5, 128],
      states: [2, 5, 128, 224],
      scalar: [],
    })
    expect(feeds.scalar?.values).toHaveLength(1)
    expect(assumptions).toHaveLength(5)
    expect(assumptions[0]).toBe('Input "image" leaves dimension 2 ("height") open; it was measured with 224.')
    expect(assumptions[2]).toBe('Input "ids" leaves dimension 1 ("sequence") open; it was measured with 128.')
  })

  it('takes one batch only where the model is made for one', () => {
    const fixed = [port('x', 'float32', [1, 3]), port('y', 'float32', [1, 4])]
    expect(makeBenchmarkInputs(fixed, 1).feeds.x?.dims).toEqual([1, 3])
    const error = errorOf(fixed, 8)
    expect(error).toMatchObject({ code: 'USAGE', details: { fixedBatch: 1, batch: 8 } })
    expect(error.message).toBe('The model only takes batch 1 (input "x" is [1,3]), asked for was batch 8.')
    expect(makeBenchmarkInputs([port('x', 'float32', [52])], 1).feeds.x?.dims).toEqual([52])
    expect(errorOf([port('x', 'float32', [52])], 2).details).toEqual({ fixedBatch: 1, batch: 2 })
    // One input with an open batch is enough; the others keep their sizes.
    const mixed = makeBenchmarkInputs([port('x', 'float32', ['N', 3]), port('table', 'float32', [1, 7])], 4)
    expect([mixed.feeds.x?.dims, mixed.feeds.table?.dims]).toEqual([
      [4, 3],
      [1, 7],
    ])
  })

  it('refuses what it cannot make up', () => {
    expect(errorOf([port('text', 'string', ['N'])], 1)).toMatchObject({ code: 'USAGE', details: { input: 'text', type: 'string' } })
    expect(errorOf([port('x', 'int4', ['N'])], 1).code).toBe('USAGE')
    expect(errorOf([port('x', 'float32', ['N', 1_000_000])], 4096)).toMatchObject({ code: 'TOO_LARGE', details: { batch: 4096 } })
  })
})
