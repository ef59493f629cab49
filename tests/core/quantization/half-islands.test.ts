import * as fc from 'fast-check'
import type { ModelProto } from 'onnx-buf'
import { expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'
import { convertToHalf, prepareForHalf } from '../../../src/core/quantization/half-precision.ts'
import type { ScopeFacts } from '../../../src/core/quantization/scope-facts.ts'

const DIMS = [8, 8] as const

/** Every tensor of these models is float32 but the axis. */
const facts: ScopeFacts = {
  get: (tensor) => ({ type: tensor === 'axis' ? 'int64' : 'float32', shape: DIMS }),
  has: () => true,
  known: true,
}

const lightOps = fc.array(fc.record({ op: fc.constantFrom('Relu', 'Add', 'CumSum'), reads: fc.tuple(fc.nat(3), fc.nat(3)) }), {
  minLength: 1,
  maxLength: 7,
})
type LightOps = typeof lightOps extends fc.Arbitrary<infer L> ? L : never

/** A multiplication with weights, then light operators on one another's results, and a multiplication of what the last two give. */
function between(ops: LightOps): ModelProto {
  const tensors = ['first']
  const nodes = ops.map(({ op, reads }, index) => {
    const [a, b] = reads.map((back) => tensors[Math.max(0, tensors.length - 1 - back)]!) as [string, string]
    const output = `t${index}`
    tensors.push(output)
    return makeNode(op, op === 'Relu' ? [a] : op === 'Add' ? [a, b] : [a, 'axis'], [output], {}, { name: `light${index}` })
  })
  return makeModel({
    nodes: [
      makeNode('MatMul', ['x', 'w'], ['first'], {}, { name: 'first' }),
      ...nodes,
      makeNode('MatMul', [tensors.at(-1)!, 'w'], ['y'], {}, { name: 'last' }),
      makeNode('MatMul', [tensors.at(-2)!, 'w'], ['z'], {}, { name: 'other' }),
    ],
    initializers: [makeTensor('w', 'float32', DIMS, new Float32Array(64).fill(1)), makeInt64('axis', [], [1])],
    inputs: [makeValueInfo('x', 'float32', DIMS)],
    outputs: [makeValueInfo('y', 'float32', DIMS), makeValueInfo('z', 'float32', DIMS)],
  })
}

function casts(model: ModelProto, blocked: ReadonlyMap<string, string>): number {
  const { model: half } = convertToHalf(model, [facts], { keepIoTypes: true, exclude: [], blocked })
  return half.graph!.node.filter(({ opType }) => opType === 'Cast').length
}

it('takes the fewest casts there are, by no more float32 nodes than that needs', () => {
  fc.assert(
    fc.property(lightOps, (ops) => {
      const model = prepareForHalf(between(ops))
      const free = ops.flatMap(({ op }, index) => (op === 'CumSum' ? [] : [`light${index}`]))
      const found = casts(model, new Map())
      for (let choice = 0; choice < 2 ** free.length; choice++) {
        const blocked = new Map(free.flatMap((name, index) => ((choice >> index) & 1 ? [[name, 'tried'] as const] : [])))
        expect(casts(model, blocked)).toBeGreaterThanOrEqual(found)
      }
      const { skipped } = convertToHalf(model, [facts], { keepIoTypes: true, exclude: [] })
      expect(skipped.length === 0).toBe(!ops.some(({ op }) => op === 'CumSum'))
    }),
    { numRuns: 40 },
  )
})

it('leaves what lies between a float32 node and weights in float16 when both take as many casts', () => {
  const model = prepareForHalf(
    between([
      { op: 'CumSum', reads: [0, 0] },
      { op: 'Relu', reads: [0, 0] },
      { op: 'Relu', reads: [0, 0] },
    ]),
  )
  const { converted } = convertToHalf(model, [facts], { keepIoTypes: true, exclude: [] })
  expect(converted).toEqual(['first', 'light1', 'light2', 'last', 'other'])
})
