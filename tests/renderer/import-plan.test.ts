import { describe, expect, it } from 'vitest'
import { fileName, planImport } from '../../src/renderer/import/import-plan.ts'

describe('planImport', () => {
  it('tells models from datasets and from anything else', () => {
    expect(planImport(['/a/net.onnx', '/a/NET.ONNX', '/a/test.npz', '/a/table.CSV', '/a/table.tsv', '/a/notes.txt'])).toEqual({
      models: ['/a/net.onnx', '/a/NET.ONNX'],
      datasets: [
        { path: '/a/test.npz', format: 'npz' },
        { path: '/a/table.CSV', format: 'csv' },
        { path: '/a/table.tsv', format: 'csv' },
      ],
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
        { path: '/d/t10k-images-idx3-ubyte.gz', format: 'idx', labelsPath: '/d/t10k-labels-idx1-ubyte.gz' },
        { path: '/d/train-images-idx3-ubyte.gz', format: 'idx', labelsPath: '/d/train-labels-idx1-ubyte.gz' },
      ],
      unknown: [],
    })
  })

  it('takes IDX images without labels, but labels alone are no dataset', () => {
    expect(planImport(['/d/x-images-idx3-ubyte']).datasets).toEqual([{ path: '/d/x-images-idx3-ubyte', format: 'idx' }])
    expect(planImport(['/d/x-labels-idx1-ubyte'])).toEqual({ models: [], datasets: [], unknown: ['/d/x-labels-idx1-ubyte'] })
  })

  it.each([
    ['/d/labels.npy', '/d/images.npy'],
    ['/d/y_test.npy', '/d/x_test.npy'],
    ['/d/train-targets.npy', '/d/train.npy'],
    ['/d/y.npy', '/d/x.npy'],
  ])('puts %s with %s', (labelsPath, path) => {
    expect(planImport([labelsPath, path])).toEqual({ models: [], datasets: [{ path, format: 'npy', labelsPath }], unknown: [] })
  })

  it('does not guess which of several .npy belong together', () => {
    expect(planImport(['/d/a.npy', '/d/b.npy', '/d/labels.npy'])).toEqual({
      models: [],
      datasets: [
        { path: '/d/a.npy', format: 'npy' },
        { path: '/d/b.npy', format: 'npy' },
      ],
      unknown: ['/d/labels.npy'],
    })
    expect(planImport(['/d/labels.npy']).datasets).toEqual([{ path: '/d/labels.npy', format: 'npy' }])
  })

  it('takes a folder for images, whatever its name', () => {
    expect(planImport(['/d/cats.npz', '/d/photos'], new Set(['/d/cats.npz', '/d/photos'])).datasets).toEqual([
      { path: '/d/cats.npz', format: 'images' },
      { path: '/d/photos', format: 'images' },
    ])
  })
})

describe('fileName', () => {
  it('reads paths of every system, folders too', () => {
    expect(fileName('/a/b.onnx')).toBe('b.onnx')
    expect(fileName('C:\\a\\b.onnx')).toBe('b.onnx')
    expect(fileName('/a/photos/')).toBe('photos')
  })
})
