import { create } from '@bufbuild/protobuf'
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import { makeAttribute, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { decodeModel, encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import type { RandomSource } from '../../src/core/statistics/seeded-random.ts'

/** A damaged copy of a model file and what was done to it, in words. */
export interface DamagedModel {
  readonly bytes: Uint8Array
  readonly damage: readonly string[]
}

/** One case in so many is damaged as a file; the others are decoded, changed in their fields and encoded again, so that more get far. */
const BYTE_LEVEL_SHARE = 8

/** Damages a model file; the random source alone decides how. */
export function damagedModel(original: Uint8Array, random: RandomSource): DamagedModel {
  if (random.below(BYTE_LEVEL_SHARE) === 0) return damagedBytes(original, random)
  const model = decodeModel(original, 'original')
  const damage: string[] = []
  // Odd but valid forms alone and together with damage: what ends at the first check says nothing about what comes after it.
  const oddities = random.below(3)
  const damages = oddities === 0 || random.below(2) === 0 ? 1 + (random.below(4) === 0 ? 1 : 0) : 0
  for (const [count, table] of [[oddities, validOddities] as const, [damages, edits] as const]) {
    for (let left = count; left > 0; left--) {
      const [name, edit] = pick(random, Object.entries(table))
      damage.push(`${name}: ${edit(model, random)}`)
    }
  }
  return { bytes: encodeModel(model), damage }
}

function damagedBytes(original: Uint8Array, random: RandomSource): DamagedModel {
  const kind = random.below(4)
  if (kind === 0) {
    const end = random.below(original.length)
    return { bytes: original.slice(0, end), damage: [`cut to ${end} bytes`] }
  }
  if (kind === 1) {
    const from = random.below(original.length)
    const length = random.below(Math.min(2000, original.length - from))
    const bytes = Uint8Array.from([...original.subarray(0, from), ...original.subarray(from + length)])
    return { bytes, damage: [`${length} bytes left out at ${from}`] }
  }
  const places = kind === 2 ? structurePlaces(original) : [...Array(1 + random.below(16))].map(() => random.below(original.length))
  const bytes = original.slice()
  const damage: string[] = []
  for (const place of kind === 2 ? [...Array(1 + random.below(4))].map(() => pick(random, places)) : places) {
    bytes[place] = random.below(256)
    damage.push(`byte ${place} is ${bytes[place]}`)
  }
  return { bytes, damage }
}

/** Places of bytes that are not values of weights: flips there reach names, counts and types. */
function structurePlaces(original: Uint8Array): number[] {
  const isWeight = new Uint8Array(original.length)
  for (const { rawData } of decodeModel(original, 'original').graph!.initializer) {
    const start = rawData.byteOffset - original.byteOffset
    if (rawData.buffer === original.buffer) isWeight.fill(1, start, start + rawData.length)
  }
  return Array.from(original.keys()).filter((place) => isWeight[place] === 0)
}

const HUGE = [0n, -1n, 1n, 2n, 3n, 7n, 64n, 1000n, 65_536n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 40n, 2n ** 62n, -(2n ** 63n)]
const OPERATORS = [
  ...[
    'Conv',
    'ConvTranspose',
    'Gemm',
    'MatMul',
    'Add',
    'Mul',
    'Div',
    'Relu',
    'Clip',
    'Softmax',
    'Concat',
    'Reshape',
    'Transpose',
    'Flatten',
  ],
  ...[
    'MaxPool',
    'GlobalAveragePool',
    'BatchNormalization',
    'Identity',
    'Cast',
    'Shape',
    'Gather',
    'Slice',
    'Pad',
    'Resize',
    'Expand',
    'Tile',
  ],
  ...[
    'ConstantOfShape',
    'LSTM',
    'If',
    'Loop',
    'QuantizeLinear',
    'DequantizeLinear',
    'NoSuchOperator',
    'DynamicQuantizeLinear',
    'TopK',
    'Where',
  ],
]
const NAMES = ['', 'x', 'a'.repeat(20_000), 'näme/with:odd "characters"\n', '__proto__', 'constructor', '../../escape', '\u0000']

type Edit = (model: ModelProto, random: RandomSource) => string

/** What other exporters write, or could. */
const validOddities: Readonly<Record<string, Edit>> = {
  'nodes in any order': (model, random) => {
    const { node } = model.graph!
    for (let index = node.length - 1; index > 0; index--) {
      const other = random.below(index + 1)
      ;[node[index], node[other]] = [node[other]!, node[index]!]
    }
    return ''
  },
  'no names': (model) => {
    for (const node of model.graph!.node) node.name = ''
    return ''
  },
  'weights in Constant nodes': (model, random) => {
    const { graph } = model
    const moved = graph!.initializer.filter(() => random.below(2) === 0)
    graph!.initializer = graph!.initializer.filter((tensor) => !moved.includes(tensor))
    graph!.node.unshift(...moved.map((tensor) => makeNode('Constant', [], [tensor.name], { value: tensor })))
    return `${moved.length}`
  },
  'weights as lists of numbers': (model) => {
    for (const tensor of model.graph!.initializer) {
      if (tensor.dataType !== 1 || tensor.rawData.length === 0) continue
      tensor.floatData = [...new Float32Array(tensor.rawData.slice().buffer)]
      tensor.rawData = new Uint8Array()
    }
    return ''
  },
  'weights that are inputs too': (model) => {
    const { graph } = model
    for (const { name, dims } of graph!.initializer) graph!.input.push(makeValueInfo(name, 'float32', dims.map(Number)))
    return ''
  },
  'shared weights': (model) => {
    const first = new Map<string, string>()
    const renamed = new Map<string, string>()
    for (const { name, dims } of model.graph!.initializer) {
      const shape = dims.join()
      if (first.has(shape)) renamed.set(name, first.get(shape)!)
      else first.set(shape, name)
    }
    for (const node of model.graph!.node) node.input = node.input.map((name) => renamed.get(name) ?? name)
    return `${renamed.size}`
  },
  'Identity in between': (model, random) => {
    const node = anyNode(model, random)
    const [from] = node.input
    if (!from) return 'nothing'
    const through = `through_${from}`
    if (!tensorNames(model).includes(through)) model.graph!.node.unshift(makeNode('Identity', [from], [through]))
    node.input[0] = through
    return from
  },
  'nodes and weights nobody reads': (model, random) => {
    model.graph!.node.push(makeNode('Relu', [pick(random, tensorNames(model))], ['nobody_reads_this']))
    model.graph!.initializer.push(makeTensor('nobody_reads_this_either', 'float32', [3], Float32Array.of(1, 2, 3)))
    return ''
  },
  'inner tensors as outputs': (model, random) => {
    const { graph } = model
    const taken = new Set(graph!.output.map(({ name }) => name))
    const inner = pick(random, graph!.node).output[0] ?? ''
    if (inner === '' || taken.has(inner)) return 'nothing'
    graph!.output.push(create(ValueInfoProtoSchema, { name: inner }))
    return inner
  },
  'an input that is an output': (model) => {
    const { graph } = model
    const name = graph!.input[0]?.name ?? ''
    if (name !== '' && !graph!.output.some((output) => output.name === name)) graph!.output.push({ ...graph!.input[0]! })
    return name
  },
  'fixed sizes': (model, random) => {
    const shape = model.graph!.input[0]?.type?.value.case === 'tensorType' ? model.graph!.input[0].type.value.value.shape : undefined
    if (shape?.dim[0]) shape.dim[0].value = { case: 'dimValue', value: BigInt(1 + random.below(4)) }
    return ''
  },
  'odd tensor names': (model, random) => {
    const odd = new Map(
      tensorNames(model).map((name, index) => [name, `${pick(random, ['ä', '/', ' ', '__proto__', '\u{1F600}', '..'])}${index}`]),
    )
    const ports = new Set([...model.graph!.input, ...model.graph!.output].map(({ name }) => name))
    const rename = (name: string) => (ports.has(name) ? name : (odd.get(name) ?? name))
    for (const node of model.graph!.node) {
      node.input = node.input.map(rename)
      node.output = node.output.map(rename)
    }
    for (const tensor of model.graph!.initializer) tensor.name = rename(tensor.name)
    return ''
  },
  'strange numbers among the weights': (model, random) => {
    const tensor = anyInitializer(model, random)
    if (tensor.dataType !== 1 || tensor.rawData.length < 4) return 'nothing'
    const values = new Float32Array(tensor.rawData.slice().buffer)
    const strange = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, 3e38, 70_000, -3e38, 1e-42, 0])
    const stride = pick(random, [1, 7, 10_000])
    for (let at = 0; at < values.length; at += stride) values[at] = strange
    tensor.rawData = new Uint8Array(values.buffer)
    return `${tensor.name} ${strange} in steps of ${stride}`
  },
}

const edits: Readonly<Record<string, Edit>> = {
  'reads another tensor': (model, random) => {
    const node = anyNode(model, random)
    if (node.input.length === 0) return 'nothing'
    const index = random.below(node.input.length)
    node.input[index] = pick(random, tensorNames(model))
    return `${node.name} input ${index} is ${node.input[index]}`
  },
  'reads what nothing makes': (model, random) => {
    const node = anyNode(model, random)
    if (node.input.length === 0) return 'nothing'
    node.input[random.below(node.input.length)] = 'nowhere'
    return node.name
  },
  'inputs swapped': (model, random) => {
    const node = anyNode(model, random)
    node.input.reverse()
    return node.name
  },
  'input left out': (model, random) => {
    const node = anyNode(model, random)
    if (random.below(2) === 0) node.input.pop()
    else if (node.input.length > 0) node.input[random.below(node.input.length)] = ''
    return node.name
  },
  'input too many': (model, random) => {
    const node = anyNode(model, random)
    node.input.push(pick(random, tensorNames(model)))
    return node.name
  },
  'output name changed': (model, random) => {
    const node = anyNode(model, random)
    if (node.output.length > 0) node.output[0] = random.below(2) === 0 ? pick(random, NAMES) : pick(random, tensorNames(model))
    return node.name
  },
  'node removed': (model, random) => model.graph!.node.splice(random.below(model.graph!.node.length), 1)[0]?.name ?? '',
  'node twice': (model, random) => {
    const node = anyNode(model, random)
    model.graph!.node.splice(random.below(model.graph!.node.length), 0, random.below(2) === 0 ? node : { ...node, output: ['second'] })
    return node.name
  },
  'node name changed': (model, random) => {
    const node = anyNode(model, random)
    node.name = random.below(2) === 0 ? pick(random, NAMES) : anyNode(model, random).name
    return node.name.slice(0, 50)
  },
  'operator changed': (model, random) => {
    const node = anyNode(model, random)
    const before = node.opType
    node.opType = pick(random, OPERATORS)
    return `${node.name} from ${before} to ${node.opType}`
  },
  'domain changed': (model, random) => {
    const node = anyNode(model, random)
    node.domain = pick(random, ['com.microsoft', 'ai.onnx', 'ai.onnx.ml', 'nobody'])
    return `${node.name} ${node.domain}`
  },
  'initializer removed': (model, random) => {
    const { initializer } = model.graph!
    return initializer.splice(random.below(Math.max(1, initializer.length)), 1)[0]?.name ?? ''
  },
  'initializer shape': (model, random) => {
    const tensor = anyInitializer(model, random)
    switch (random.below(4)) {
      case 0:
        tensor.dims = tensor.dims.toReversed()
        break
      case 1:
        tensor.dims = [...tensor.dims, 1n]
        break
      case 2:
        tensor.dims = [tensor.dims.reduce((product, dim) => product * dim, 1n)]
        break
      default:
        tensor.dims[random.below(tensor.dims.length + 1)] = pick(random, HUGE)
    }
    return `${tensor.name} [${tensor.dims.join()}]`
  },
  'initializer emptied with its shape': (model, random) => {
    const tensor = anyInitializer(model, random)
    tensor.dims = tensor.dims.length === 0 ? [0n] : tensor.dims.with(random.below(tensor.dims.length), 0n)
    tensor.rawData = new Uint8Array()
    tensor.floatData = []
    return tensor.name
  },
  'initializer type': (model, random) => {
    const tensor = anyInitializer(model, random)
    tensor.dataType = random.below(30)
    return `${tensor.name} ${tensor.dataType}`
  },
  'initializer type with values': (model, random) => {
    const tensor = anyInitializer(model, random)
    const [type, width] = pick(random, [
      [11, 8],
      [10, 2],
      [7, 8],
      [6, 4],
      [3, 1],
      [2, 1],
      [16, 2],
    ] as const)
    tensor.rawData = new Uint8Array(Number(tensor.dims.reduce((product, dim) => product * dim, 1n)) * width)
    tensor.dataType = type
    return `${tensor.name} ${type}`
  },
  'initializer cut or longer': (model, random) => {
    const tensor = anyInitializer(model, random)
    const { rawData } = tensor
    tensor.rawData = random.below(2) === 0 ? rawData.slice(0, random.below(rawData.length + 1)) : Uint8Array.from([...rawData, 0, 0, 0, 0])
    return tensor.name
  },
  'initializer twice': (model, random) => {
    const tensor = anyInitializer(model, random)
    model.graph!.initializer.push(tensor)
    return tensor.name
  },
  'weights in an external file': (model, random) => {
    const tensor = anyInitializer(model, random)
    tensor.dataLocation = 1
    tensor.externalData = [
      { $typeName: 'onnx.StringStringEntryProto', key: 'location', value: pick(random, ['/etc/passwd', '../x', 'x.bin', '']) },
    ]
    return tensor.name
  },
  'attribute values': (model, random) => {
    const attribute = anyAttribute(model, random)
    if (!attribute) return 'nothing'
    if (attribute.ints.length > 0) attribute.ints[random.below(attribute.ints.length)] = pick(random, HUGE)
    else attribute.i = pick(random, HUGE)
    attribute.f = pick(random, [Number.NaN, 0, -1, 1e30])
    return `${attribute.name} ${attribute.ints.join()}`
  },
  'attribute list length': (model, random) => {
    const attribute = anyAttribute(model, random)
    if (!attribute) return 'nothing'
    if (random.below(2) === 0) attribute.ints.pop()
    else attribute.ints.push(1n)
    return attribute.name
  },
  'attribute type': (model, random) => {
    const attribute = anyAttribute(model, random)
    if (attribute) attribute.type = random.below(15) as AttributeProto_AttributeType
    return attribute?.name ?? 'nothing'
  },
  'attribute removed or twice': (model, random) => {
    const node = anyNode(model, random)
    if (random.below(2) === 0) node.attribute.splice(0, 1)
    else node.attribute.push(...node.attribute.slice(0, 1))
    return node.name
  },
  'attribute invented': (model, random) => {
    const node = anyNode(model, random)
    node.attribute.push(
      makeAttribute(
        pick(random, ['axis', 'group', 'to', 'axes', 'perm', 'auto_pad', 'alpha']),
        pick(random, [-9, 0, 1e6, 'odd', [1, 2, 3]]),
      ),
    )
    return node.name
  },
  'sub-graph invented': (model, random) => {
    const node = anyNode(model, random)
    const body = create(GraphProtoSchema, {
      name: 'body',
      node: [makeNode('Relu', [pick(random, tensorNames(model))], ['inner'])],
      output: [{ name: 'inner' }],
    })
    const attribute = makeAttribute(pick(random, ['then_branch', 'body']), 0)
    node.attribute.push({ ...attribute, type: AttributeProto_AttributeType.GRAPH, g: body })
    return node.name
  },
  'operator set': (model, random) => {
    const entry = model.opsetImport[random.below(model.opsetImport.length)]
    if (entry) entry.version = pick(random, [-1n, 0n, 1n, 6n, 7n, 9n, 11n, 13n, 18n, 21n, 26n, 27n, 10_000n, 2n ** 40n])
    return `${entry?.domain} ${entry?.version}`
  },
  'file version': (model, random) => {
    model.irVersion = pick(random, [0n, 1n, 3n, 4n, 9n, 13n, 99n, -1n])
    return `${model.irVersion}`
  },
  'input shape': (model, random) => {
    const input = pick(random, model.graph!.input)
    const shape = input.type?.value.case === 'tensorType' ? input.type.value.value.shape : undefined
    if (!shape) return 'nothing'
    if (random.below(3) === 0) shape.dim.pop()
    else if (shape.dim.length > 0) shape.dim[random.below(shape.dim.length)]!.value = { case: 'dimValue', value: pick(random, HUGE) }
    return `${input.name} ${shape.dim.map(({ value }) => value.value).join()}`
  },
  'input or output type': (model, random) => {
    const port = pick(random, [...model.graph!.input, ...model.graph!.output])
    if (port.type?.value.case === 'tensorType') port.type.value.value.elemType = random.below(24)
    return port.name
  },
  'input shape missing': (model, random) => {
    const port = pick(random, [...model.graph!.input, ...model.graph!.output])
    if (port.type?.value.case === 'tensorType') port.type.value.value.shape = undefined
    return port.name
  },
  'ports removed, renamed or twice': (model, random) => {
    const ports = random.below(2) === 0 ? model.graph!.input : model.graph!.output
    const port = ports[0]
    if (!port) return 'nothing'
    const what = random.below(3)
    if (what === 0) ports.shift()
    else if (what === 1) port.name = pick(random, [...NAMES, ...tensorNames(model)])
    else ports.push(port)
    return port.name.slice(0, 50)
  },
  'tensor blown up': (model, random) => {
    const node = anyNode(model, random)
    const [from] = node.input
    if (!from) return 'nothing'
    const size = pick(random, [2n ** 33n, 2n ** 40n, 2n ** 62n])
    model.graph!.initializer.push(makeTensor('blown_shape', 'int64', [1], BigInt64Array.of(size)))
    const index = model.graph!.node.indexOf(node)
    const maker = pick(random, [
      makeNode('ConstantOfShape', ['blown_shape'], ['blown']),
      makeNode('Expand', [from, 'blown_shape'], ['blown']),
    ])
    model.graph!.node.splice(index, 0, maker)
    node.input[0] = 'blown'
    return `${maker.opType} ${size} before ${node.name}`
  },
}

function anyNode(model: ModelProto, random: RandomSource): NodeProto {
  const { graph } = model
  if (graph!.node.length === 0) graph!.node.push(makeNode('Relu', ['x'], ['only'], {}, { name: 'only' }))
  return pick(random, graph!.node)
}

function anyInitializer(model: ModelProto, random: RandomSource): TensorProto {
  const { graph } = model
  if (graph!.initializer.length === 0) graph!.initializer.push(makeTensor('only_weight', 'float32', [1], Float32Array.of(1)))
  return pick(random, graph!.initializer)
}

function anyAttribute(model: ModelProto, random: RandomSource): AttributeProto | undefined {
  const all = model.graph!.node.flatMap(({ attribute }) => attribute)
  return all.length === 0 ? undefined : pick(random, all)
}

function tensorNames(model: ModelProto): string[] {
  const { node, input, initializer } = model.graph!
  const names = [...node.flatMap(({ output }) => output), ...input.map(({ name }) => name), ...initializer.map(({ name }) => name)]
  return names.length === 0 ? ['x'] : names
}

function pick<T>(random: RandomSource, from: readonly T[]): T {
  return from[random.below(from.length)]!
}
