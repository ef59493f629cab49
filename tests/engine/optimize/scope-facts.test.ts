import { create } from '@bufbuild/protobuf'
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { inferScopeFacts } from '../../../src/core/quantization/scope-facts.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { model } from './small-models.ts'

/** A body as exporters write it: names alone for what it takes and gives. */
function body(nodes: readonly NodeProto[], inputs: readonly string[], outputs: readonly string[]): GraphProto {
  const untyped = (names: readonly string[]) => names.map((name) => create(ValueInfoProtoSchema, { name }))
  return { ...makeModel({ nodes, inputs: [], outputs: [] }).graph!, input: untyped(inputs), output: untyped(outputs) }
}

function holding(node: NodeProto, bodies: Readonly<Record<string, GraphProto>>): NodeProto {
  for (const [name, g] of Object.entries(bodies))
    node.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }))
  return node
}

/** A constant with its values in a list instead of raw bytes, as older tools write them. */
const listed: TensorProto = create(TensorProtoSchema, { name: 'one', dataType: 1, floatData: [1] })

async function factsOf(nodes: readonly NodeProto[], initializers: readonly TensorProto[]) {
  const source = model([2, 3], nodes, initializers, { y: ['a', 'b'] })
  return inferScopeFacts(new Graph(source), onnxRuntime)
}

describe('inferScopeFacts', () => {
  it('finds types in bodies of bodies, of what they capture, take and make', async () => {
    const innermost = body([makeNode('Add', ['carried', 'one'], ['sum'])], [], ['sum'])
    const other = body([makeNode('Cast', ['shape'], ['numbers'], { to: 1 })], [], ['numbers'])
    const loop = body(
      [
        makeNode('Identity', ['go'], ['on']),
        makeNode('Shape', ['carried'], ['shape']),
        makeNode('Sub', ['carried', 'x'], ['zero']),
        holding(makeNode('If', ['go'], ['chosen']), { then_branch: innermost, else_branch: other }),
        makeNode('Relu', ['zero'], ['next']),
      ],
      ['round', 'go', 'carried'],
      ['on', 'next'],
    )
    // ONNX Runtime wants to be told this one.
    loop.input[1] = makeValueInfo('go', 'bool', [])
    const [main, inLoop, inThen, inElse] = await factsOf(
      [holding(makeNode('Loop', ['rounds', '', 'x'], ['y']), { body: loop })],
      [makeInt64('rounds', [], [2]), listed],
    )
    expect([main, inLoop, inThen, inElse].map((facts) => facts?.known)).toEqual([true, true, true, true])
    expect(main!.get('y')?.type).toBe('float32')
    expect(main!.has('carried')).toBe(false)
    const types = Object.fromEntries(['round', 'go', 'carried', 'shape', 'x', 'one', 'next'].map((name) => [name, inLoop!.get(name)?.type]))
    expect(types).toEqual({ round: 'int64', go: 'bool', carried: 'float32', shape: 'int64', x: 'float32', one: 'float32', next: 'float32' })
    expect(inThen!.get('sum')?.type).toBe('float32')
    expect(inThen!.get('shape')?.type).toBe('int64')
    expect(inElse!.get('numbers')?.type).toBe('float32')
    expect(inElse!.has('sum')).toBe(false)
  })

  it('knows nothing of a body that captures a sequence, and does not fail', async () => {
    const reads = body([makeNode('SequenceAt', ['list', 'zero'], ['item'])], [], ['item'])
    const other = body([makeNode('Abs', ['x'], ['absolute'])], [], ['absolute'])
    const nodes = [
      makeNode('SequenceConstruct', ['x'], ['list']),
      makeNode('Equal', ['zero', 'zero'], ['flag']),
      holding(makeNode('If', ['flag'], ['y']), { then_branch: reads, else_branch: other }),
    ]
    const [main, inThen, inElse] = await factsOf(nodes, [makeInt64('zero', [], [0])])
    expect(main!.has('list')).toBe(false)
    expect([inThen!.known, inElse!.known]).toEqual([false, true])
    expect([inThen!.get('item'), inThen!.get('x')?.type, inElse!.get('absolute')?.type]).toEqual([undefined, 'float32', 'float32'])
  })
})
