import { describe, expect, it } from 'vitest'
import { candidateRecipes, MAX_CANDIDATES } from '../../src/backend/use-cases/candidate-recipes.ts'
import type { ModelReport } from '../../src/contract/model.ts'
import { targetSchema } from '../../src/contract/names.ts'
import { needsCalibration, recipeSchema } from '../../src/contract/recipe.ts'

type Facts = Pick<ModelReport, 'opCounts' | 'weightTypes' | 'nodes'>

/** A report of nodes given as operator and parameters. */
function report(nodes: readonly (readonly [op: string, parameters: number])[], weightType = 'float32'): Facts {
  const opCounts: Record<string, number> = {}
  for (const [op] of nodes) opCounts[op] = (opCounts[op] ?? 0) + 1
  const bytes = nodes.reduce((sum, [, parameters]) => sum + parameters * 4, 0)
  return {
    opCounts,
    weightTypes: bytes > 0 ? { [weightType]: bytes } : {},
    nodes: nodes.map(([op, parameters], index) => ({ name: `${op}_${index}`, op, domain: '', outputShape: null, parameters, macs: null })),
  }
}

const convNet = report([
  ['Conv', 1000],
  ['Relu', 0],
  ['Conv', 5000],
  ['Gemm', 500],
])
const transformer = report([
  ['MatMul', 9000],
  ['Softmax', 0],
  ['MatMul', 9000],
  ['LayerNormalization', 20],
])
const titles = (facts: Facts, target: Parameters<typeof candidateRecipes>[1], calibrated: boolean) =>
  candidateRecipes(facts, target, calibrated).map(({ title }) => title)

describe('candidateRecipes', () => {
  it('tries every calibrator and pruned channels on a convolutional network with samples', () => {
    expect(titles(convNet, 'x64', true)).toEqual([
      'int8-static',
      'int8-static minmax',
      'int8-static percentile',
      'int8-static entropy',
      'int8-static mse',
      'int8-dynamic',
      'fp16 weights',
      'prune-channels 30%',
      'prune-channels 30% + int8-static',
      'prune-channels 50%',
      'prune-channels 50% + int8-static',
      'prune-magnitude 50%',
    ])
  })

  it('tries small weights where matrix products hold them, and no channels of a network without convolutions', () => {
    const found = titles(transformer, 'arm64', true)
    expect(found).toEqual(expect.arrayContaining(['int8-dynamic', 'int8-weights', 'int4-weights', 'int8-static entropy']))
    expect(found.filter((title) => title.startsWith('prune-channels'))).toEqual([])
    expect(titles(convNet, 'arm64', true)).not.toContain('int4-weights')
  })

  it('leaves out what needs samples when there are none', () => {
    for (const facts of [convNet, transformer]) {
      const found = candidateRecipes(facts, 'x64', false)
      expect(found.length).toBeGreaterThan(2)
      expect(found.some(({ recipe }) => needsCalibration(recipe))).toBe(false)
    }
    expect(titles(convNet, 'x64', false)).toContain('prune-channels 30%')
  })

  it('keeps to what a GPU has kernels for', () => {
    const found = titles(convNet, 'tensorrt', true)
    expect(found).toContain('fp16')
    expect(found).not.toContain('int8-dynamic')
    expect(titles(convNet, 'x64', true)).not.toContain('fp16')
    expect(titles(transformer, 'tensorrt', true)).not.toContain('int4-weights')
  })

  it('finds nothing for a model that is quantized or has no weights', () => {
    expect(titles(report([['QLinearConv', 100]], 'int8'), 'x64', true)).toEqual([])
    expect(titles(report([['Relu', 0]]), 'x64', true)).toEqual([])
    const quantized = report([
      ['QuantizeLinear', 0],
      ['Conv', 100],
    ])
    expect(titles(quantized, 'x64', true)).toEqual(['fp16 weights'])
  })

  it('gives recipes of the contract with names of their own, and not too many for one comparison', () => {
    const everything = report([
      ['Conv', 1],
      ['ConvTranspose', 1],
      ['MatMul', 99],
      ['Gemm', 99],
      ['LSTM', 9],
      ['Gather', 9],
    ])
    for (const target of targetSchema.options) {
      for (const calibrated of [true, false]) {
        const found = candidateRecipes(everything, target, calibrated)
        expect(found.length).toBeLessThanOrEqual(MAX_CANDIDATES)
        expect(new Set(found.map(({ title }) => title)).size).toBe(found.length)
        for (const { recipe } of found) expect(recipeSchema.parse(recipe)).toEqual(recipe)
      }
    }
  })
})
