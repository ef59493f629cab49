import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { channelAxis, preprocess } from '../../../src/core/datasets/preprocess.ts'

describe('preprocessing', () => {
  test.each<[string, number[], number[], Parameters<typeof preprocess>[2], number[]]>([
    ['nothing', [1, 2], [1, 2], {}, [1, 2]],
    ['scale', [0, 51, 255], [1, 3], { scale: 1 / 255 }, [0, 0.2, 1]],
    ['one mean and deviation', [0.5, 1], [1, 2], { mean: [0.5], std: [0.25] }, [0, 2]],
    ['the worked example', [51], [1, 1], { scale: 1 / 255, mean: [0.5], std: [0.25] }, [-1.2]],
    ['channels first', [1, 2, 3, 4, 1, 2, 3, 4], [2, 2, 1, 2], { mean: [1, 3] }, [0, 1, 0, 1, 0, 1, 0, 1]],
    ['channels last', [1, 3, 2, 4], [1, 1, 2, 2], { mean: [1, 3] }, [0, 0, 1, 1]],
    ['features', [1, 10, 2, 20], [2, 2], { mean: [1, 10], std: [1, 10] }, [0, 0, 1, 1]],
    ['a mean for each channel and one deviation', [1, 3, 2, 4], [2, 2], { mean: [1, 3], std: [2] }, [0, 0, 0.5, 0.5]],
    ['one mean and a deviation for each channel', [2, 3], [1, 2], { mean: [1], std: [1, 4] }, [1, 0.5]],
  ])('%s', (_, values, dims, steps, expected) => {
    const copy = Float32Array.from(values)
    preprocess(copy, dims, steps, 'x')
    expect([...copy]).toEqual([...Float32Array.from(expected)])
  })

  test('channels first win where both could be meant', () => {
    expect(channelAxis([1, 3, 5, 3], 3, 'x')).toBe(1)
    expect(channelAxis([1, 5, 5, 3], 3, 'x')).toBe(3)
    expect(channelAxis([1, 5, 5, 3], 1, 'x')).toBeUndefined()
  })

  test('channels that are not there', () => {
    expect(() => channelAxis([1, 1, 28, 28], 3, 'image')).toThrow(
      expect.objectContaining({
        code: 'DATASET_SHAPE',
        message: expect.stringMatching(/3 values of mean or std, but input "image" of shape \[N,1,28,28\] has no channel axis/),
      }),
    )
  })

  test('each sample is treated as it is alone', () => {
    const values = fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), { minLength: 24, maxLength: 24 })
    fc.assert(
      fc.property(values, (all) => {
        const steps = { scale: 0.5, mean: [1, 2, 3], std: [1, 2, 4] }
        const together = Float32Array.from(all)
        preprocess(together, [2, 3, 2, 2], steps, 'x')
        const second = Float32Array.from(all.slice(12))
        preprocess(second, [1, 3, 2, 2], steps, 'x')
        expect([...together.subarray(12)]).toEqual([...second])
      }),
    )
  })
})
