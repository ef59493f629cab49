import { describe, expect, it } from 'vitest'
import { fp16StepSchema } from '../../../src/contract/recipe.ts'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { halfStep } from '../../../src/engine/optimize/half-step.ts'
import type { StepContext } from '../../../src/engine/optimize/step-context.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { constant, feedsOf, model, weights } from './small-models.ts'

function context(settings: Partial<StepContext> = {}): { readonly context: StepContext; readonly logged: string[] } {
  const logged: string[] = []
  const nothing = { calibration: undefined, budget: undefined, progress: () => {} }
  return { context: { runtime: onnxRuntime, target: 'x64', ...nothing, log: (text) => logged.push(text), ...settings }, logged }
}

describe('halfStep', () => {
  it('finds out which operators have no float16 form, each once', async () => {
    const nodes = [
      makeNode('Gemm', ['x', 'w'], ['a'], {}, { name: 'g1' }),
      makeNode('Celu', ['a'], ['b'], {}, { name: 'celu1' }),
      makeNode('Gemm', ['b', 'w'], ['c'], {}, { name: 'g2' }),
      makeNode('Celu', ['c'], ['d'], {}, { name: 'celu2' }),
      makeNode('Gemm', ['d', 'w'], ['y'], {}, { name: 'g3' }),
    ]
    const { context: given, logged } = context()
    const result = await halfStep(
      model(['N', 16], nodes, [weights('w', [16, 16])], { y: ['N', 16] }),
      fp16StepSchema.parse({ recipe: 'fp16' }),
      given,
    )
    expect(result.changed).toEqual(['g1', 'g2', 'g3'])
    expect(result.skipped.map(({ node }) => node)).toEqual(['celu1', 'celu2'])
    expect(logged).toEqual(['Celu ("celu1") has no float16 form and stays in float32'])
    expect(result.warnings).toEqual([expect.stringContaining('not faster')])
  })

  it('computes in float32 what grows beyond float16 on the samples', async () => {
    const nodes = [
      makeNode('Gemm', ['x', 'w'], ['a'], {}, { name: 'g1' }),
      makeNode('Exp', ['a'], ['b'], {}, { name: 'exp' }),
      makeNode('Log', ['b'], ['c'], {}, { name: 'log' }),
      makeNode('Gemm', ['c', 'w'], ['y'], {}, { name: 'g2' }),
    ]
    const identity = constant(
      'w',
      [16, 16],
      Array.from({ length: 256 }, (_, index) => (index % 17 === 0 ? 1 : 0)),
    )
    const source = model([1, 16], nodes, [identity], { y: [1, 16] })
    const { context: given } = context({ calibration: feedsOf(source, 4, 20) })
    const result = await halfStep(source, fp16StepSchema.parse({ recipe: 'fp16' }), given)
    expect(result.changed).toEqual(['g1', 'g2'])
    expect(result.skipped).toEqual([
      { node: 'exp', op: 'Exp', reason: expect.stringContaining('beyond float16') },
      { node: 'log', op: 'Log', reason: expect.stringContaining('beyond float16') },
    ])
  })

  it('stores weights only, when asked, and reports what rounding did to each', async () => {
    const source = model(['N', 32], [makeNode('MatMul', ['x', 'w'], ['y'], {}, { name: 'm' })], [weights('w', [32, 32])], { y: ['N', 32] })
    const result = await halfStep(source, fp16StepSchema.parse({ recipe: 'fp16', weightsOnly: true }), context().context)
    expect(result.changed).toEqual(['m'])
    expect(result.warnings).toEqual([])
    expect(result.facts!.weights).toEqual([{ node: 'm', op: 'MatMul', tensor: 'w', sqnrDb: expect.any(Number) }])
    expect(result.facts!.weights![0]!.sqnrDb).toBeGreaterThan(65)
  })
})
