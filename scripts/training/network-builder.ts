import type { ConvOptions } from './convolution.ts'
import type { Value } from './tape.ts'

/** Shape of a convolution layer. */
export interface ConvLayer extends ConvOptions {
  readonly outChannels: number
  /** Side of the square kernel. */
  readonly kernel: number
  /** Left out where a batch normalization follows, which has a bias of its own. */
  readonly bias: boolean
}

/**
 * What a network is written against, once, for two purposes: {@link TrainingGraph} records gradients with batch statistics,
 * {@link InferenceGraph} writes the model that is exported. `name` is the layer's dotted name, for example `features.conv1`.
 */
export interface NetworkBuilder {
  conv(name: string, x: Value, layer: ConvLayer): Value
  batchNormalization(name: string, x: Value): Value
  relu(name: string, x: Value): Value
  maxPool(name: string, x: Value, size: number): Value
  globalAveragePool(name: string, x: Value): Value
  add(name: string, a: Value, b: Value): Value
  flatten(name: string, x: Value): Value
  gemm(name: string, x: Value, outFeatures: number): Value
}

/** Writes a network from images [N,C,H,W] to logits [N,K]. */
export type Network = (builder: NetworkBuilder, images: Value) => Value

/** A trained tensor: its dotted name, its shape, how it starts, and whether weight decay pulls it to zero. */
export interface Parameter {
  readonly name: string
  readonly shape: readonly number[]
  /** `he`: normal with variance 2 / fanIn, which keeps the size of activations through ReLU (He et al. 2015). */
  readonly start: 'he' | 'zeros' | 'ones'
  /** Products that are summed up for one output value. */
  readonly fanIn: number
  readonly decays: boolean
}

/** The tensors of a convolution layer reading images [N,C,H,W]; `bias` only where the layer has one. */
export function convParameters(name: string, x: Value, layer: ConvLayer): { readonly weight: Parameter; readonly bias?: Parameter } {
  const channelsPerGroup = (x.shape[1] as number) / (layer.groups ?? 1)
  const weight = weightParameter(`${name}.weight`, [layer.outChannels, channelsPerGroup, layer.kernel, layer.kernel])
  return layer.bias ? { weight, bias: biasParameter(`${name}.bias`, layer.outChannels) } : { weight }
}

/** The tensors of a fully connected layer reading [N,I]. */
export function gemmParameters(name: string, x: Value, outFeatures: number): { readonly weight: Parameter; readonly bias: Parameter } {
  return {
    weight: weightParameter(`${name}.weight`, [outFeatures, x.shape[1] as number]),
    bias: biasParameter(`${name}.bias`, outFeatures),
  }
}

/** The trained tensors of a batch normalization of [N,C,H,W]. */
export function batchNormalizationParameters(name: string, x: Value): { readonly scale: Parameter; readonly bias: Parameter } {
  const channels = x.shape[1] as number
  const scale: Parameter = { name: `${name}.weight`, shape: [channels], start: 'ones', fanIn: 1, decays: false }
  return { scale, bias: biasParameter(`${name}.bias`, channels) }
}

/** Names of a batch normalization's running averages. */
export function runningStatistics(name: string): { readonly mean: string; readonly variance: string } {
  return { mean: `${name}.running_mean`, variance: `${name}.running_var` }
}

function weightParameter(name: string, shape: readonly number[]): Parameter {
  const fanIn = shape.slice(1).reduce((product, dim) => product * dim, 1)
  return { name, shape, start: 'he', fanIn, decays: true }
}

function biasParameter(name: string, length: number): Parameter {
  return { name, shape: [length], start: 'zeros', fanIn: 1, decays: false }
}
