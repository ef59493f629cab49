import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { carriedPreprocessing, preprocessingWarning } from '../../../src/contract/carried-preprocessing.ts'
import type { DatasetSource, Preprocessing } from '../../../src/contract/dataset.ts'
import type { RecipeStep } from '../../../src/contract/recipe.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { inspectModel } from '../../../src/core/onnx/inspect.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { optimizeModel } from '../../../src/engine/optimize/optimize.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { array, counting } from '../../core/datasets/arrays.ts'
import { plainArrays } from '../datasets/plain-arrays.ts'
import { model, step, weights } from './small-models.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgesmith-carried-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const KEY = 'edgesmith.preprocessing'

function network(): ModelProto {
  const nodes = [
    makeNode('Conv', ['x', 'cw'], ['h'], { pads: [1, 1, 1, 1] }, { name: 'conv' }),
    makeNode('Relu', ['h'], ['r'], {}, { name: 'relu' }),
    makeNode('Flatten', ['r'], ['f'], {}, { name: 'flatten' }),
    makeNode('Gemm', ['f', 'gw'], ['y'], {}, { name: 'fc' }),
  ]
  return model(['N', 3, 4, 4], nodes, [weights('cw', [8, 3, 3, 3]), weights('gw', [128, 5])], { y: ['N', 5] })
}

function photos(preprocessing: Preprocessing): DatasetSource {
  const bytes = counting(8 * 48).map((value) => (value * 31) % 256)
  return plainArrays(folder, [array('images', 'uint8', bytes, [8, 4, 4, 3])], { preprocessing })
}

const preprocessing: Preprocessing = {
  stored: 'channels-last',
  layout: 'channels-first',
  scale: 1 / 255,
  mean: [0.4, 0.5, 0.6],
  dtype: 'float32',
}

/** Makes a build of a model and gives its file. */
async function build(of: Uint8Array, recipe: readonly RecipeStep[], calibration: DatasetSource | null): Promise<ModelProto> {
  const [modelPath, outPath] = [join(folder, 'in.onnx'), join(folder, 'out.onnx')]
  await writeFile(modelPath, of)
  await optimizeModel(
    {
      command: 'optimize',
      modelPath,
      outPath,
      modelName: 'network',
      recipe: [...recipe],
      target: 'x64',
      calibration,
      samples: 8,
      budget: null,
      edgesmithVersion: '1',
      lineage: [],
    },
    onnxRuntime,
    { progress: () => {}, log: () => {} },
  )
  return decodeModel(await readFile(outPath), 'build')
}

const metadataOf = (built: ModelProto) => inspectModel(built, 0, '').metadata

describe('the preprocessing of a build', () => {
  it('is that of its calibration data, and stays in builds of it', async () => {
    const first = await build(encodeModel(network()), [step('int8-static', { calibrator: 'minmax' })], photos(preprocessing))
    expect(carriedPreprocessing(metadataOf(first))).toEqual(preprocessing)
    expect(first.metadataProps.filter(({ key }) => key === KEY)).toHaveLength(1)
    const second = await build(encodeModel(first), [step('opset')], null)
    expect(carriedPreprocessing(metadataOf(second))).toEqual(preprocessing)
  })

  it('is replaced by that of newer data, also by none at all', async () => {
    const carrying = network()
    carrying.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: KEY, value: JSON.stringify({ scale: 2 }) })
    const source = plainArrays(folder, [array('x', 'float32', counting(96), [2, 3, 4, 4])])
    const built = await build(encodeModel(carrying), [step('fp16')], source)
    expect(carriedPreprocessing(metadataOf(built))).toEqual({})
  })

  it('is absent without data', async () => {
    expect(carriedPreprocessing(metadataOf(await build(encodeModel(network()), [step('fp16')], null)))).toBeUndefined()
  })

  it('says nothing of the element type where that was changed, and is left out for inputs of the middle', async () => {
    const half = await build(encodeModel(network()), [step('fp16', { keepIoTypes: false })], photos(preprocessing))
    const { dtype, ...rest } = preprocessing
    expect(dtype).toBe('float32')
    expect(carriedPreprocessing(metadataOf(half))).toEqual(rest)
    const tail = await build(encodeModel(network()), [step('extract', { inputs: ['r'] })], photos(preprocessing))
    expect(carriedPreprocessing(metadataOf(tail))).toBeUndefined()
    const head = await build(encodeModel(network()), [step('extract', { outputs: ['f'] })], photos(preprocessing))
    expect(carriedPreprocessing(metadataOf(head))).toEqual(preprocessing)
  })

  it('of thousands of features is not cut in the report', async () => {
    const entries = Array.from({ length: 4096 }, (_, index) => index / 7 + 0.123456789)
    const carrying = network()
    const value = JSON.stringify({ mean: entries, std: entries })
    carrying.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: KEY, value })
    expect(value.length).toBeGreaterThan(65_536)
    expect(carriedPreprocessing(metadataOf(carrying))).toEqual({ mean: entries, std: entries })
  })

  it.each(['no JSON', '{"scale": "x"}', '{"unknown": 1}', '{"std": [0]}'])('that cannot be read is an error: %s', (value) => {
    expect(() => carriedPreprocessing({ [KEY]: value })).toThrow(expect.objectContaining({ code: 'MODEL_INVALID' }))
    expect(preprocessingWarning({ [KEY]: value }, 'photos', {})).toMatch(/cannot be read; photos is evaluated with its own/)
  })
})

describe('the warning before an evaluation', () => {
  const warning = (carried: Preprocessing, given: Preprocessing) =>
    preprocessingWarning({ [KEY]: JSON.stringify(carried) }, 'photos', given)

  it('comes where the data is prepared in another way than the model was made for', () => {
    expect(warning({ scale: 1 / 255 }, {})).toBe(
      'The model was made for inputs preprocessed with {"scale":0.00392156862745098}, but photos has {}: the numbers are of the latter.',
    )
    expect(warning({ mean: [1] }, { mean: [2] })).not.toBeNull()
    expect(warning({}, { stored: 'channels-last', layout: 'channels-first' })).not.toBeNull()
    expect(warning({ stored: 'channels-last' }, { stored: 'channels-last', reverseChannels: true })).not.toBeNull()
  })

  it.each<[string, Preprocessing, Preprocessing]>([
    ['the same', preprocessing, { ...preprocessing }],
    ['the same in another order, without the element type', { mean: [1], scale: 2, dtype: 'float32' }, { scale: 2, mean: [1] }],
    ['fields that do nothing', { scale: 1, mean: [0, 0], std: [1], stored: 'channels-last', reverseChannels: false }, {}],
  ])('does not come for %s', (_, carried, given) => {
    expect(warning(carried, given)).toBeNull()
  })

  it('does not come for a model that carries nothing', () => {
    expect(preprocessingWarning({ licence: 'MIT' }, 'photos', { scale: 2 })).toBeNull()
  })
})
