import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { describe, expect, it } from 'vitest'
import { makeModel, makeNode, makeValueInfo } from '../../../../src/core/onnx/builders.ts'
import { Graph } from '../../../../src/core/onnx/graph.ts'
import { makeInt64, makeTensor } from '../../../../src/core/onnx/tensor-values.ts'
import { ChannelCoupling } from '../../../../src/core/pruning/channels/channel-coupling.ts'
import { AxisGuard, channelGroups } from '../../../../src/core/pruning/channels/channel-groups.ts'
import { keptIndices, muteChannels, removeChannels } from '../../../../src/core/pruning/channels/remove-channels.ts'

function zeros(name: string, dims: readonly number[]): TensorProto {
  return makeTensor(name, 'float32', dims, new Float32Array(dims.reduce((product, dim) => product * dim, 1)).fill(1))
}

function conv(input: string, output: string, weight: string, attributes: Readonly<Record<string, number>> = {}): NodeProto {
  return makeNode('Conv', [input, weight], [output], attributes, { name: output })
}

/** A model from x [N, 3, 8, 8] to y. */
function model(nodes: readonly NodeProto[], initializers: readonly TensorProto[]): ModelProto {
  return makeModel({
    nodes: nodes.map((node) => Object.assign(node, { name: node.output[0] })),
    initializers,
    inputs: [makeValueInfo('x', 'float32', ['N', 3, 8, 8])],
    outputs: [makeValueInfo('y', 'float32', ['N', 2, 8, 8])],
  })
}

function coupled(source: ModelProto, excluded: (node: NodeProto) => boolean = () => false): ChannelCoupling {
  return ChannelCoupling.of(new Graph(source), new Map(), excluded)
}

/** Names of the classes along one axis of a tensor, -1 where it cannot shrink. */
function classesOf(coupling: ChannelCoupling, tensor: string, axis = 1): number[] {
  return [...(coupling.axes(tensor)?.[axis] ?? [])].map((label) => (label < 0 ? label : coupling.classes.find(label)))
}

const head = (input: string, channels: number): [NodeProto, TensorProto] => [conv(input, 'y', 'wy'), zeros('wy', [2, channels, 1, 1])]

describe('coupling of channels', () => {
  it('a sum ties the channels of both branches, index by index', () => {
    const [last, wy] = head('s', 4)
    const coupling = coupled(
      model(
        [conv('x', 'a', 'wa'), conv('x', 'b', 'wb'), makeNode('Add', ['a', 'b'], ['s']), last],
        [zeros('wa', [4, 3, 1, 1]), zeros('wb', [4, 3, 1, 1]), wy],
      ),
    )
    expect(classesOf(coupling, 'a')).toEqual(classesOf(coupling, 'b'))
    expect(new Set(classesOf(coupling, 's')).size).toBe(4)
    const { groups, frozen } = channelGroups(coupling)
    expect(groups.map(({ classes }) => classes.length)).toEqual([4])
    expect(frozen.map(({ node }) => node)).toEqual(['y'])
    expect(frozen[0]!.reason).toContain('output of the model')
  })

  it('Concat puts one after the other, with fixed places for what is not ours', () => {
    const [last, wy] = head('c', 7)
    const coupling = coupled(
      model([conv('x', 'a', 'wa'), makeNode('Concat', ['x', 'a'], ['c'], { axis: 1 }), last], [zeros('wa', [4, 3, 1, 1]), wy]),
    )
    expect(classesOf(coupling, 'c')).toEqual([-1, -1, -1, ...classesOf(coupling, 'a')])
    const removed = new Set(classesOf(coupling, 'a').slice(1, 3))
    const weight = removeChannels(
      model(
        [conv('x', 'a', 'wa'), makeNode('Concat', ['x', 'a'], ['c'], { axis: 1 }), conv('c', 'y', 'wy')],
        [zeros('wa', [4, 3, 1, 1]), wy],
      ),
      coupling,
      removed,
    )
    expect(weight.graph!.initializer.map(({ dims }) => dims.map(Number))).toEqual([
      [2, 3, 1, 1],
      [2, 5, 1, 1],
    ])
  })

  it('Split and Slice cut labels, Flatten spreads each over its positions', () => {
    const nodes = [
      conv('x', 'a', 'wa'),
      makeNode('Split', ['a', 'parts'], ['p', 'q'], { axis: 1 }),
      makeNode('Slice', ['q', 'from', 'to', 'axes'], ['r']),
      makeNode('Flatten', ['r'], ['f']),
    ]
    const constants = [
      makeInt64('parts', [2], [2, 4]),
      makeInt64('from', [1], [1]),
      makeInt64('to', [1], [-1]),
      makeInt64('axes', [1], [1]),
    ]
    const coupling = coupled(model([...nodes, conv('p', 'y', 'wy')], [zeros('wa', [6, 3, 1, 1]), zeros('wy', [2, 2, 1, 1]), ...constants]))
    const a = classesOf(coupling, 'a')
    expect(classesOf(coupling, 'p')).toEqual(a.slice(0, 2))
    expect(classesOf(coupling, 'r')).toEqual(a.slice(3, 5))
    expect(classesOf(coupling, 'f')).toEqual([...new Array<number>(64).fill(a[3]!), ...new Array<number>(64).fill(a[4]!)])
  })

  it('a depthwise layer carries the channels on, also with several filters for each', () => {
    const [last, wy] = head('d', 8)
    const coupling = coupled(
      model([conv('x', 'a', 'wa'), conv('a', 'd', 'wd', { group: 4 }), last], [zeros('wa', [4, 3, 1, 1]), zeros('wd', [8, 1, 3, 3]), wy]),
    )
    const a = classesOf(coupling, 'a')
    expect(classesOf(coupling, 'd')).toEqual(a.flatMap((name) => [name, name]))
  })

  it('a shuffle of groups (Reshape, Transpose, Reshape) ties channels at the same place', () => {
    const [last, wy] = head('back', 6)
    const nodes = [
      conv('x', 'a', 'wa'),
      makeNode('Reshape', ['a', 'split'], ['g']),
      makeNode('Transpose', ['g'], ['t'], { perm: [0, 2, 1, 3, 4] }),
      makeNode('Reshape', ['t', 'join'], ['back']),
      last,
    ]
    const shapes = [makeInt64('split', [5], [0, 2, 3, 8, 8]), makeInt64('join', [4], [0, 6, 8, 8])]
    const coupling = coupled(model(nodes, [zeros('wa', [6, 3, 1, 1]), wy, ...shapes]))
    const [first, second, third] = classesOf(coupling, 'a') as [number, number, number]
    expect(classesOf(coupling, 'a')).toEqual([first, second, third, first, second, third])
    expect(classesOf(coupling, 'back')).toEqual([first, first, second, second, third, third])
  })

  it.each([
    { name: 'an unknown operator', node: makeNode('Mystery', ['a'], ['z'], {}, { domain: 'nobody.knows' }), reason: 'cannot be followed' },
    { name: 'a normalization over channels', node: makeNode('Softmax', ['a'], ['z'], { axis: 1 }), reason: 'over all channels' },
    { name: 'a mean over channels', node: makeNode('ReduceMean', ['a'], ['z'], { axes: [1] }), reason: 'over all channels' },
    { name: 'a sum with an input', node: makeNode('Add', ['a', 'x4'], ['z']), reason: 'cannot shrink' },
    { name: 'a choice of channels', node: makeNode('Gather', ['a', 'index'], ['z'], { axis: 1 }), reason: 'picks single channels' },
  ])('$name leaves the layer alone and says why', ({ node, reason }) => {
    const [last, wy] = head('a', 4)
    const source = model(
      [conv('x', 'a', 'wa'), Object.assign(node, {}), last],
      [zeros('wa', [4, 3, 1, 1]), wy, makeInt64('index', [2], [0, 2])],
    )
    source.graph!.input.push(makeValueInfo('x4', 'float32', ['N', 4, 8, 8]))
    const { groups, frozen } = channelGroups(coupled(source))
    expect(groups).toEqual([])
    expect(frozen.find((entry) => entry.node === 'a')!.reason).toContain(reason)
  })

  it('a weight that two layers share is pruned for both; one that is also added as it is stays', () => {
    const [last, wy] = head('s', 4)
    const shared = model(
      [conv('x', 'a', 'wa'), conv('x', 'b', 'wa'), makeNode('Mul', ['a', 'b'], ['s']), last],
      [zeros('wa', [4, 3, 1, 1]), wy],
    )
    expect(channelGroups(coupled(shared)).groups[0]!.classes.length).toBe(4)
    const also = model(
      [conv('x', 'a', 'wa'), makeNode('Add', ['wa', 'wa'], ['other']), conv('a', 'y', 'wy')],
      [zeros('wa', [4, 3, 1, 1]), wy],
    )
    expect(channelGroups(coupled(also)).groups).toEqual([])
  })

  it('an excluded layer keeps its inputs and its outputs', () => {
    const [last, wy] = head('b', 4)
    const source = model([conv('x', 'a', 'wa'), conv('a', 'b', 'wb'), last], [zeros('wa', [4, 3, 1, 1]), zeros('wb', [4, 4, 1, 1]), wy])
    const { frozen } = channelGroups(coupled(source, (node) => node.name === 'b'))
    expect(frozen.filter(({ reason }) => reason.includes('excluded')).map(({ node }) => node)).toEqual(['a', 'b'])
  })
})

it('the guard keeps every axis from running empty, a half of a Split too', () => {
  const nodes = [
    conv('x', 'a', 'wa'),
    makeNode('Split', ['a', 'parts'], ['p', 'q'], { axis: 1 }),
    makeNode('Concat', ['q', 'p'], ['c'], { axis: 1 }),
  ]
  const [last, wy] = head('c', 4)
  const coupling = coupled(model([...nodes, last], [zeros('wa', [4, 3, 1, 1]), wy, makeInt64('parts', [2], [2, 2])]))
  const a = classesOf(coupling, 'a')
  const guard = new AxisGuard(coupling, () => 1)
  expect(guard.allows(a.slice(0, 2))).toBe(false)
  expect(guard.allows([a[0]!, a[2]!])).toBe(true)
  guard.take([a[0]!, a[2]!])
  expect(guard.allows([a[1]!])).toBe(false)
})

it('muting sets the weights that read a channel to zero and changes no shape', () => {
  const [last, wy] = head('a', 4)
  const source = model([conv('x', 'a', 'wa'), last], [zeros('wa', [4, 3, 1, 1]), wy])
  const coupling = coupled(source)
  const removed = new Set([classesOf(coupling, 'a')[2]!])
  expect(keptIndices(coupling, coupling.axes('a')![1]!, removed)).toEqual([0, 1, 3])
  const muted = muteChannels(source, coupling, removed).graph!.initializer.find(({ name }) => name === 'wy')!
  expect(Array.from(new Float32Array(new Uint8Array(muted.rawData).buffer))).toEqual([1, 1, 0, 1, 1, 1, 0, 1])
})
