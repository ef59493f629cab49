import { create } from '@bufbuild/protobuf'
import { AttributeProto_AttributeType, AttributeProtoSchema, FunctionProtoSchema, GraphProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { describe, expect, test } from 'vitest'
import { makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { inferShapes } from '../../../src/core/onnx/shape-inference.ts'
import type { Dim } from '../../../src/core/onnx/shapes.ts'
import { makeInt64 } from '../../../src/core/onnx/tensor-values.ts'
import { classifier } from './sample-models.ts'
import { build, type Case, computed, conv, floats, ints, one, x } from './shape-cases.ts'

function shapesOf(parts: Case, singleSample = false): Record<string, readonly Dim[] | undefined> {
  const { facts } = inferShapes(build(parts), { singleSample })
  return Object.fromEntries(parts.nodes.flatMap(({ output }) => output).map((name) => [name, facts.get(name)?.shape]))
}

describe('symbols', () => {
  test('stay symbols through a network', () => {
    const { facts } = inferShapes(classifier())
    expect(facts.get('conv')?.shape).toEqual(['N', 4, 8, 8])
    expect(facts.get('flat')?.shape).toEqual(['N', 64])
    expect(facts.get('y')?.shape).toEqual(['N', 3])
  })

  test('pass through computed shapes', () => {
    expect(shapesOf(computed['view by size']!)).toMatchObject({ s: [3], target: [2], y: ['N', 24] })
    expect(shapesOf(computed['expand with -1']!)).toMatchObject({ y: ['N', 4, 6] })
    expect(shapesOf(computed['channel shuffle']!)).toMatchObject({ split: ['N', 2, 3, 5, 5], y: ['N', 6, 5, 5] })
    expect(shapesOf(computed['computed pads']!)).toMatchObject({ y: ['N', 3, 12, 10] })
  })

  test.each<[string, Case, (Dim | undefined)[]]>([
    [
      'a convolution that keeps the size',
      { nodes: one('Conv', { pads: [1, 1, 1, 1] }, ['x', 'w']), inputs: [x('N', 4, 'H', 'W')], initializers: [floats('w', 6, 4, 3, 3)] },
      ['N', 6, 'H', 'W'],
    ],
    [
      'a convolution that does not',
      { nodes: one('Conv', { strides: [2, 1] }, ['x', 'w']), inputs: [x('N', 4, 'H', 'W')], initializers: [floats('w', 6, 4, 3, 3)] },
      ['N', 6, undefined, undefined],
    ],
    [
      'attention heads',
      { nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 'T', 12)], initializers: [ints('s', 0, 0, 3, 4)] },
      ['N', 'T', 3, 4],
    ],
    [
      'flattened batch and time',
      { nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 'T', 12)], initializers: [ints('s', -1, 12)] },
      [undefined, 12],
    ],
    [
      'one symbol beside numbers',
      { nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 3, 4)], initializers: [ints('s', -1, 12)] },
      ['N', 12],
    ],
    [
      'a symbol beside a number over 1',
      { nodes: one('Add', {}, ['x', 'w']), inputs: [x('N', 'T')], initializers: [floats('w', 5)] },
      ['N', 5],
    ],
    ['two symbols', { nodes: one('Add', {}, ['x', 'z']), inputs: [x('N', 'T'), { name: 'z', dims: ['N', 'S'] }] }, ['N', undefined]],
    [
      'a slice of all',
      {
        nodes: one('Slice', {}, ['x', 's', 'e', 'a']),
        inputs: [x('N', 'T')],
        initializers: [ints('s', 0), makeInt64('e', [1], [9007199254740991]), ints('a', 1)],
      },
      ['N', 'T'],
    ],
    [
      'a slice of some',
      { nodes: one('Slice', {}, ['x', 's', 'e', 'a']), inputs: [x('N', 'T')], initializers: [ints('s', 1), ints('e', 9), ints('a', 1)] },
      ['N', undefined],
    ],
    ['joined symbols', { nodes: one('Concat', { axis: 1 }, ['x', 'x']), inputs: [x('N', 'T')] }, ['N', undefined]],
    ['a squeeze that may or may not', { nodes: one('Squeeze'), inputs: [x('N', 4)] }, undefined as never],
  ])('%s', (_, parts, expected) => {
    expect(shapesOf(parts).y).toEqual(expected)
  })

  test('for a single sample the batch is 1, also where its symbol comes up later, and other symbols stay', () => {
    const parts: Case = {
      nodes: [makeNode('Transpose', ['x'], ['t'], { perm: [1, 0, 2] }), makeNode('Relu', ['t'], ['y'])],
      inputs: [x('batch', 'time', 3)],
    }
    expect(shapesOf(parts, true)).toEqual({ t: ['time', 1, 3], y: ['time', 1, 3] })
  })

  test('a batch of unknown size without a name is 1 as well', () => {
    const model = build({ nodes: one('Relu'), inputs: [x('N', 3)] })
    const type = model.graph!.input[0]!.type!.value
    if (type.case === 'tensorType') type.value.shape!.dim[0]!.value = { case: undefined }
    expect(inferShapes(model).facts.get('y')?.shape).toEqual([undefined, 3])
    expect(inferShapes(model, { singleSample: true }).facts.get('y')?.shape).toEqual([1, 3])
  })
})

describe('what cannot be known', () => {
  test('operators of other domains take their shape from value_info', () => {
    const model = build({
      nodes: [...one('Magic', {}, ['x'], ['m'], 'org.x'), makeNode('Relu', ['m'], ['y'])],
      inputs: [x('N', 3)],
      domains: { 'org.x': 1 },
    })
    expect(inferShapes(model).facts.get('y')?.shape).toBeUndefined()
    model.graph!.valueInfo.push(makeValueInfo('m', 'float32', ['N', 7]))
    expect(inferShapes(model).facts.get('y')).toMatchObject({ type: 'float32', shape: ['N', 7] })
    expect(inferShapes(model, { singleSample: true }).facts.get('y')?.shape).toEqual([1, 7])
  })

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])('an operator called %s is just unknown', (op) => {
    expect(shapesOf({ nodes: one(op), inputs: [x('N', 3)] }).y).toBeUndefined()
  })

  test.each<[string, Case]>([
    ['shapes that do not multiply', { nodes: one('MatMul', {}, ['x', 'w']), inputs: [x('N', 3)], initializers: [floats('w', 4, 5)] }],
    ['a kernel larger than the image', conv([2, 2], [5, 5])],
    ['channels that do not fit', conv([9, 9], [3, 3], {}, 4, 3)],
    ['a reshape that does not come out', { nodes: one('Reshape', {}, ['x', 's']), inputs: [x(3, 5)], initializers: [ints('s', 4, -1)] }],
    ['axes outside', { nodes: one('Unsqueeze', {}, ['x', 'a']), inputs: [x('N', 3)], initializers: [ints('a', 9)] }],
    ['a permutation that is none', { nodes: one('Transpose', { perm: [0, 0] }), inputs: [x('N', 3)] }],
    ['two -1', { nodes: one('Reshape', {}, ['x', 's']), inputs: [x(3, 4)], initializers: [ints('s', -1, -1)] }],
    ['negative pads beyond the size', { nodes: one('Pad', {}, ['x', 'p']), inputs: [x(1, 3)], initializers: [ints('p', 0, -4, 0, 0)] }],
    ['a step of 0', { nodes: one('Tile', {}, ['x', 's']), inputs: [x(1, 3)], initializers: [ints('s', 1)] }],
  ])('%s give nothing', (_, parts) => {
    expect(shapesOf(parts).y).toBeUndefined()
  })

  test('values that depend on the data leave their dimension open', () => {
    expect(shapesOf({ nodes: one('NonZero'), inputs: [x('N', 3)] }).y).toEqual([2, undefined])
    expect(shapesOf({ nodes: one('Reshape', {}, ['x', 's']), inputs: [x('N', 3), { name: 's', type: 'int64', dims: [4] }] }).y).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  test('an initializer that a caller may override is not believed', () => {
    const parts: Case = {
      nodes: one('Reshape', {}, ['x', 's']),
      inputs: [x(2, 3), { name: 's', type: 'int64', dims: [2] }],
      initializers: [ints('s', 3, 2)],
    }
    expect(shapesOf(parts).y).toEqual([undefined, undefined])
  })
})

describe('sub-graphs and functions', () => {
  const conditional = (thenDims: number[], elseDims: number[]) => {
    const node = makeNode('If', ['flag'], ['y'])
    for (const [name, dims] of [
      ['then_branch', thenDims],
      ['else_branch', elseDims],
    ] as const) {
      const g = create(GraphProtoSchema, {
        node: [makeNode('Constant', [], [name], { value: floats('', ...dims) })],
        output: [create(ValueInfoProtoSchema, { name })],
      })
      node.attribute.push(create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.GRAPH, g }))
    }
    return build({ nodes: [node], inputs: [{ name: 'flag', type: 'bool', dims: [] }] })
  }

  test('an If has what its branches agree on', () => {
    expect(inferShapes(conditional([2, 3], [2, 3])).facts.get('y')?.shape).toEqual([2, 3])
    expect(inferShapes(conditional([2, 3], [2, 4])).facts.get('y')?.shape).toEqual([2, undefined])
    expect(inferShapes(conditional([2, 3], [6])).facts.get('y')?.shape).toBeUndefined()
  })

  test('functions are followed, with the attributes of the call', () => {
    const model = build({ nodes: one('Turn', { order: [1, 0] }, ['x'], ['y'], 'local'), inputs: [x('N', 3)], domains: { local: 1 } })
    const body = makeNode('Transpose', ['a'], ['b'])
    body.attribute.push(create(AttributeProtoSchema, { name: 'perm', refAttrName: 'order', type: AttributeProto_AttributeType.INTS }))
    model.functions.push(
      create(FunctionProtoSchema, {
        name: 'Turn',
        domain: 'local',
        input: ['a'],
        output: ['b'],
        attribute: ['order'],
        node: [body],
        opsetImport: model.opsetImport,
      }),
    )
    expect(inferShapes(model).facts.get('y')?.shape).toEqual([3, 'N'])
  })

  test('functions that call each other without end are left alone', () => {
    const model = build({ nodes: one('F0', {}, ['x'], ['y'], 'local'), inputs: [x('N', 3)], domains: { local: 1 } })
    for (let level = 0; level < 12; level++) {
      const next = `F${(level + 1) % 12}`
      const node = Array.from({ length: 40 }, (_, index) =>
        makeNode(next, ['a'], [index === 0 ? 'b' : `b${index}`], {}, { domain: 'local' }),
      )
      model.functions.push(
        create(FunctionProtoSchema, {
          name: `F${level}`,
          domain: 'local',
          input: ['a'],
          output: ['b'],
          node,
          opsetImport: model.opsetImport,
        }),
      )
    }
    expect(inferShapes(model).facts.get('y')?.shape).toBeUndefined()
  })
})
