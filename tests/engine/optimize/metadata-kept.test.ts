import fc from 'fast-check'
import type { ModelProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import type { RecipeStep } from '../../../src/contract/recipe.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { LINEAGE_KEY } from '../../../src/engine/optimize/lineage.ts'
import { makeBuild } from '../../../src/engine/optimize/make-build.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { feedsOf, model, step, weights } from './small-models.ts'

/** Convolution, shape and matrices: something for every recipe. */
function network(): ModelProto {
  const nodes = [
    makeNode('Conv', ['x', 'c1'], ['h1'], { pads: [1, 1, 1, 1] }, { name: 'conv1' }),
    makeNode('Relu', ['h1'], ['r1'], {}, { name: 'relu1' }),
    makeNode('Conv', ['r1', 'c2'], ['h2'], { pads: [1, 1, 1, 1] }, { name: 'conv2' }),
    makeNode('Relu', ['h2'], ['r2'], {}, { name: 'relu2' }),
    makeNode('Reshape', ['r2', 'shape'], ['f'], {}, { name: 'flatten' }),
    makeNode('MatMul', ['f', 'w'], ['y'], {}, { name: 'matrix' }),
  ]
  const constants = [
    weights('c1', [16, 4, 3, 3]),
    weights('c2', [16, 16, 3, 3]),
    makeInt64('shape', [2], [1, 256]),
    weights('w', [256, 64]),
  ]
  return model([1, 4, 4, 4], nodes, constants, { y: [1, 64] })
}

const source = network()
const calibration = feedsOf(source, 4)

const recipes: readonly RecipeStep[] = [
  step('fp16'),
  step('fp16', { weightsOnly: true }),
  step('int8-dynamic'),
  step('int8-static', { calibrator: 'minmax' }),
  step('int8-weights', { rounding: 'nearest' }),
  step('int4-weights', { rounding: 'nearest' }),
  step('prune-magnitude', { method: 'magnitude' }),
  step('prune-channels', { goal: 'ratio', amount: 0.5, refit: false }),
  step('extract', { outputs: ['f'] }),
  step('extract', { inputs: ['r1'] }),
  step('dynamic-batch'),
  step('opset'),
]

const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const descriptions = fc.record({
  metadata: fc.dictionary(
    text.filter((key) => key !== LINEAGE_KEY),
    text,
    { maxKeys: 6 },
  ),
  producerName: text,
  producerVersion: text,
  domain: text,
  docString: text,
  modelVersion: fc.bigInt({ min: 0n, max: 2n ** 62n }),
})

async function built(described: ModelProto, recipe: RecipeStep): Promise<ModelProto> {
  const request = { modelName: 'm', recipe: [recipe], target: 'x64', calibration: null, edgesmithVersion: '1', lineage: [] } as const
  const reporter = { progress: () => {}, log: () => {} }
  const { bytes } = await makeBuild(
    encodeModel(described),
    { ...request, recipe: [recipe], lineage: [] },
    { calibration },
    onnxRuntime,
    reporter,
  )
  return decodeModel(bytes, 'build')
}

describe('what a file says of itself', () => {
  it.each(recipes.map((recipe) => ({ recipe, settings: JSON.stringify(recipe).slice(0, 60) })))(
    'survives $settings',
    async ({ recipe }) => {
      await fc.assert(
        fc.asyncProperty(descriptions, async ({ metadata, ...fields }) => {
          const described = Object.assign(decodeModel(encodeModel(source), 'source'), fields)
          described.metadataProps = Object.entries(metadata).map(([key, value]) => ({
            $typeName: 'onnx.StringStringEntryProto',
            key,
            value,
          }))
          const { metadataProps, ...rest } = await built(described, recipe)
          expect(rest).toMatchObject(fields)
          expect(Object.fromEntries(metadataProps.filter(({ key }) => key !== LINEAGE_KEY).map(({ key, value }) => [key, value]))).toEqual(
            metadata,
          )
        }),
        { numRuns: 3 },
      )
    },
  )
})
