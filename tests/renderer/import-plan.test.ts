import { describe, expect, it } from 'vitest'
import { preprocessingSchema } from '../../src/contract/dataset.ts'
import { fileName, planImport } from '../../src/renderer/import/import-plan.ts'
import { makePreprocessing } from '../../src/renderer/import/make-preprocessing.ts'

describe('planImport', () => {
  it('tells models from datasets and from anything else', () => {
    expect(planImport(['/a/net.onnx', '/a/NET.ONNX', '/a/test.npz', '/a/notes.txt'])).toEqual({
      models: ['/a/net.onnx', '/a/NET.ONNX'],
      datasets: [{ path: '/a/test.npz' }],
      unknown: ['/a/notes.txt'],
    })
  })

  it('puts IDX labels with the images of the same name', () => {
    const files = [
      '/d/train-labels-idx1-ubyte.gz',
      '/d/t10k-images-idx3-ubyte.gz',
      '/d/train-images-idx3-ubyte.gz',
      '/d/t10k-labels-idx1-ubyte.gz',
    ]
    expect(planImport(files)).toEqual({
      models: [],
      datasets: [
        { path: '/d/t10k-images-idx3-ubyte.gz', labelsPath: '/d/t10k-labels-idx1-ubyte.gz' },
        { path: '/d/train-images-idx3-ubyte.gz', labelsPath: '/d/train-labels-idx1-ubyte.gz' },
      ],
      unknown: [],
    })
  })

  it('takes IDX images without labels, but labels alone are no dataset', () => {
    expect(planImport(['/d/x-images-idx3-ubyte']).datasets).toEqual([{ path: '/d/x-images-idx3-ubyte' }])
    expect(planImport(['/d/x-labels-idx1-ubyte'])).toEqual({ models: [], datasets: [], unknown: ['/d/x-labels-idx1-ubyte'] })
  })
})

describe('fileName', () => {
  it('reads paths of every system', () => {
    expect(fileName('/a/b.onnx')).toBe('b.onnx')
    expect(fileName('C:\\a\\b.onnx')).toBe('b.onnx')
  })
})

describe('makePreprocessing', () => {
  const nothing = { scaleChoice: 'none', scale: '', mean: '', std: '' } as const

  it('is absent when nothing is to be done', () => {
    expect(makePreprocessing(nothing)).toEqual({})
  })

  it('reads scale, mean and standard deviation', () => {
    expect(makePreprocessing({ ...nothing, scaleChoice: 'bytes', mean: '0.5, 0.4;0.3', std: ' 0.2 0.2 0.2 ' })).toEqual({
      preprocessing: { scale: 1 / 255, mean: [0.5, 0.4, 0.3], std: [0.2, 0.2, 0.2] },
    })
    expect(makePreprocessing({ ...nothing, scaleChoice: 'custom', scale: 0.5 })).toEqual({ preprocessing: { scale: 0.5 } })
  })

  it('turns what is no number into something the schema refuses', () => {
    for (const fields of [{ ...nothing, mean: 'a, b' }, { ...nothing, scaleChoice: 'custom', scale: '' } as const]) {
      expect(preprocessingSchema.safeParse(makePreprocessing(fields).preprocessing).success).toBe(false)
    }
  })
})
