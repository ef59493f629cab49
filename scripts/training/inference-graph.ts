import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { type AttributeValue, float, makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { BATCH_NORM_EPSILON } from './batch-normalization.ts'
import { convOutputLength } from './convolution.ts'
import {
  batchNormalizationParameters,
  type ConvLayer,
  convParameters,
  gemmParameters,
  type Network,
  type NetworkBuilder,
  runningStatistics,
} from './network-builder.ts'
import type { Value } from './tape.ts'

/** Trained tensors by dotted name, running averages included. */
export type TrainedTensors = ReadonlyMap<string, Float32Array>

/**
 * The model for inference: input `input` [N, …imageShape] with a free batch dimension "N", output `probabilities` [N,K],
 * opset 17, standard operators only, nodes named like `/features/conv1/Conv`. Batch normalization stays a node of its own.
 *
 * @param imageShape [C,H,W]
 * @throws Error when a tensor is missing in `trained` or has another length than the network needs
 */
export function inferenceModel(
  network: Network,
  trained: TrainedTensors,
  imageShape: readonly number[],
  description: { readonly name: string; readonly metadata: Readonly<Record<string, string>> },
): ModelProto {
  const graph = new InferenceGraph(trained)
  const logits = network(graph, { name: 'input', shape: [1, ...imageShape] })
  graph.nodes.push(makeNode('Softmax', [logits.name], ['probabilities'], { axis: 1 }, { name: '/Softmax' }))
  return makeModel({
    opset: 17,
    name: description.name,
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [makeValueInfo('input', 'float32', ['N', ...imageShape])],
    outputs: [makeValueInfo('probabilities', 'float32', ['N', logits.shape[1] as number])],
    metadata: description.metadata,
  })
}

/** Writes a network's inference nodes; shapes are followed for a batch of one. */
class InferenceGraph implements NetworkBuilder {
  readonly nodes: NodeProto[] = []
  readonly initializers: TensorProto[] = []
  private readonly trained: TrainedTensors

  constructor(trained: TrainedTensors) {
    this.trained = trained
  }

  conv(name: string, x: Value, layer: ConvLayer): Value {
    const { kernel, stride = 1, padding = 0, groups = 1, outChannels } = layer
    const { weight, bias } = convParameters(name, x, layer)
    const [height, width] = x.shape.slice(2).map((length) => convOutputLength(length, kernel, stride, padding)) as [number, number]
    const inputs = [x.name, this.tensor(weight), ...(bias ? [this.tensor(bias)] : [])]
    const window = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [padding, padding, padding, padding] }
    return this.node(name, 'Conv', inputs, [1, outChannels, height, width], { ...window, dilations: [1, 1], group: groups })
  }

  batchNormalization(name: string, x: Value): Value {
    const { scale, bias } = batchNormalizationParameters(name, x)
    const { mean, variance } = runningStatistics(name)
    const statistics = [mean, variance].map((statistic) => this.tensor({ name: statistic, shape: scale.shape }))
    const inputs = [x.name, this.tensor(scale), this.tensor(bias), ...statistics]
    return this.node(name, 'BatchNormalization', inputs, x.shape, { epsilon: float(BATCH_NORM_EPSILON) })
  }

  relu(name: string, x: Value): Value {
    return this.node(name, 'Relu', [x.name], x.shape)
  }

  maxPool(name: string, x: Value, size: number): Value {
    const [batch, channels, height, width] = x.shape as [number, number, number, number]
    const shape = [batch, channels, Math.floor(height / size), Math.floor(width / size)]
    return this.node(name, 'MaxPool', [x.name], shape, { kernel_shape: [size, size], strides: [size, size] })
  }

  globalAveragePool(name: string, x: Value): Value {
    return this.node(name, 'GlobalAveragePool', [x.name], [...x.shape.slice(0, 2), 1, 1])
  }

  add(name: string, a: Value, b: Value): Value {
    return this.node(name, 'Add', [a.name, b.name], a.shape)
  }

  flatten(name: string, x: Value): Value {
    const features = x.shape.slice(1).reduce((product, dim) => product * dim, 1)
    return this.node(name, 'Flatten', [x.name], [1, features], { axis: 1 })
  }

  gemm(name: string, x: Value, outFeatures: number): Value {
    const { weight, bias } = gemmParameters(name, x, outFeatures)
    return this.node(name, 'Gemm', [x.name, this.tensor(weight), this.tensor(bias)], [1, outFeatures], { transB: 1 })
  }

  private node(
    layer: string,
    opType: string,
    inputs: readonly string[],
    shape: readonly number[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    const name = `/${layer.replaceAll('.', '/')}/${opType}`
    const output = `${name}_output_0`
    this.nodes.push(makeNode(opType, inputs, [output], attributes, { name }))
    return { name: output, shape }
  }

  private tensor({ name, shape }: { readonly name: string; readonly shape: readonly number[] }): string {
    const values = this.trained.get(name)
    if (!values) throw new Error(`no trained tensor ${name}`)
    this.initializers.push(makeTensor(name, 'float32', shape, values))
    return name
  }
}
