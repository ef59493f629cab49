import { create } from '@bufbuild/protobuf'
import * as fc from 'fast-check'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
} from 'onnx-buf'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'

/** Every float tensor is [3, 8], so that any of them can go anywhere. */
const DIMS = [3, 8] as const

const steps = fc.record({
  op: fc.constantFrom(
    ...([
      'MatMul',
      'Gemm',
      'constant-weights',
      'Relu',
      'Tanh',
      'Add',
      'Mul',
      'CumSum',
      'Max',
      'Softmax',
      'through-integers',
      'If',
      'Loop',
    ] as const),
  ),
  /** Which earlier tensors are read, counted from the end. */
  reads: fc.tuple(fc.nat(4), fc.nat(4)),
  /** One of few weights, so that some are shared. */
  weight: fc.nat(3),
  given: fc.boolean(),
})
type Step = typeof steps extends fc.Arbitrary<infer S> ? S : never

/** What a random model is made of: the main graph, and the body of every sub-graph in it. */
export const graphPlans = fc.record({
  outer: fc.array(steps, { minLength: 1, maxLength: 8 }),
  inner: fc.array(steps, { minLength: 1, maxLength: 4 }),
})

/**
 * A model of random operators in random order on shared weights, with sub-graphs (in which the same operators are), operators without
 * a float16 form, and outputs in the middle.
 */
export function graphOf({ outer, inner }: typeof graphPlans extends fc.Arbitrary<infer P> ? P : never): ModelProto {
  const builder = new RandomGraph('', inner)
  for (const step of outer) builder.add(step)
  return makeModel({
    nodes: builder.nodes,
    initializers: [
      ...Array.from({ length: 4 }, (_, index) => weights(`w${index}`, index)),
      makeTensor(
        'row',
        'float32',
        [8],
        Float32Array.from({ length: 8 }, (_, index) => Math.sin(index)),
      ),
      makeInt64('axis', [], [1]),
      makeInt64('rounds', [], [2]),
      makeTensor('zero', 'float32', [], new Float32Array(1)),
    ],
    inputs: [makeValueInfo('x', 'float32', DIMS)],
    outputs: [...new Set([...builder.given, builder.last])].map((name) => makeValueInfo(name, 'float32', DIMS)),
  })
}

/** Values of another size for each seed, small enough that long chains stay small. */
function weights(name: string, seed: number): TensorProto {
  return makeTensor(
    name,
    'float32',
    [8, 8],
    Float32Array.from({ length: 64 }, (_, index) => Math.sin(index * 1.3 + seed * 7) * 0.4),
  )
}

class RandomGraph {
  readonly nodes: NodeProto[] = []
  readonly given: string[] = []
  private readonly prefix: string
  private readonly inner: readonly Step[]
  private readonly tensors = ['x']

  constructor(prefix: string, inner: readonly Step[], start?: string) {
    this.prefix = prefix
    this.inner = inner
    if (start !== undefined) this.tensors.push(start)
  }

  get last(): string {
    return this.tensors.at(-1)!
  }

  add({ op, reads, weight, given }: Step): void {
    const output = `${this.prefix}t${this.tensors.length}`
    const [a, b] = reads.map((back) => this.tensors[Math.max(0, this.tensors.length - 1 - back)]!) as [string, string]
    const w = `w${weight}`
    this.nodes.push(...this.written(op, a, b, w, output))
    this.tensors.push(output)
    if (given) this.given.push(output)
  }

  private written(op: Step['op'], a: string, b: string, w: string, output: string): NodeProto[] {
    const inner = `${output}_inner`
    switch (op) {
      case 'MatMul':
        return [makeNode('MatMul', [a, w], [output])]
      case 'Gemm':
        return [makeNode('Gemm', [a, w, 'row'], [output], { transB: 1 })]
      case 'constant-weights':
        return [makeNode('Constant', [], [inner], { value: weights('', 5) }), makeNode('MatMul', [a, inner], [output])]
      case 'CumSum':
        return [makeNode('CumSum', [a, 'axis'], [inner]), makeNode('Tanh', [inner], [output])]
      case 'through-integers':
        return [
          makeNode('Cast', [a], [inner], { to: TensorProto_DataType.INT32 }),
          makeNode('Cast', [inner], [output], { to: TensorProto_DataType.FLOAT }),
        ]
      case 'If':
        return this.branch(a, b, output)
      case 'Loop':
        return this.loop(a, output)
      case 'Add':
      case 'Max':
        return [makeNode(op, [a, b], [inner]), makeNode('Tanh', [inner], [output])]
      case 'Mul':
        return [makeNode('Mul', [a, 'row'], [output])]
      default:
        return [makeNode(op, [a], [output])]
    }
  }

  /** Sub-graphs hold none themselves: the graph would grow without end. */
  private body(prefix: string, start?: string): RandomGraph {
    const body = new RandomGraph(prefix, [], start)
    for (const step of this.inner) if (step.op !== 'If' && step.op !== 'Loop') body.add(step)
    // What a body gives out must be made in it.
    body.nodes.push(makeNode('Relu', [body.last], [`${prefix}out`]))
    return body
  }

  private branch(a: string, b: string, output: string): NodeProto[] {
    const node = makeNode('If', [`${output}_flag`], [output])
    const then = this.body(`${output}_then_`)
    const otherwise = new RandomGraph(`${output}_else_`, [])
    otherwise.nodes.push(makeNode('Sub', [a, b], [`${output}_else_out`]))
    for (const [name, { nodes }] of Object.entries({ then_branch: then, else_branch: otherwise }))
      node.attribute.push(bodyAttribute(name, nodes, [], [makeValueInfo(nodes.at(-1)!.output[0]!, 'float32', DIMS)]))
    return [
      // Of the input: a sum of what was rounded might be close to zero, and another branch be taken.
      makeNode('ReduceSum', ['x'], [`${output}_total`], { keepdims: 0 }),
      makeNode('Greater', [`${output}_total`, 'zero'], [`${output}_flag`]),
      node,
    ]
  }

  private loop(a: string, output: string): NodeProto[] {
    const prefix = `${output}_loop_`
    const { nodes } = this.body(prefix, `${prefix}carried`)
    const node = makeNode('Loop', ['rounds', '', a], [output])
    const inputs = [
      makeValueInfo(`${prefix}round`, 'int64', []),
      makeValueInfo(`${prefix}go`, 'bool', []),
      makeValueInfo(`${prefix}carried`, 'float32', DIMS),
    ]
    const kept = makeNode('Identity', [`${prefix}go`], [`${prefix}on`])
    node.attribute.push(
      bodyAttribute('body', [kept, ...nodes], inputs, [
        makeValueInfo(`${prefix}on`, 'bool', []),
        makeValueInfo(`${prefix}out`, 'float32', DIMS),
      ]),
    )
    return [node]
  }
}

function bodyAttribute(name: string, node: readonly NodeProto[], input: GraphProto['input'], output: GraphProto['output']) {
  const { graph } = makeModel({ nodes: node, inputs: input, outputs: output, name })
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g: graph! })
}
