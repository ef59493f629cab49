import type { Network, NetworkBuilder } from './network-builder.ts'
import type { Value } from './tape.ts'

/** Widths of {@link plainCnn}; the tests train narrow ones. */
export interface CnnWidths {
  /** Output channels of the 3×3 convolutions; a 2×2 max pooling follows each inner list. */
  readonly stages: readonly (readonly number[])[]
  readonly hidden: number
}

/**
 * A plain convolutional network: 3×3 convolutions with bias and ReLU, max pooling, two fully connected layers.
 * Default widths: 15 million multiply-adds and 1.1 MB. Most of the work is in convolutions with 32 and more input
 * channels, where 8-bit kernels are clearly faster than float ones even on processors with AVX2 only.
 */
export function plainCnn(classes: number, widths: CnnWidths = { stages: [[32], [64, 64], [128]], hidden: 128 }): Network {
  return (builder, images) => {
    let x = images
    let index = 0
    for (const [stage, channels] of widths.stages.entries()) {
      for (const outChannels of channels) {
        index += 1
        x = builder.conv(`features.conv${index}`, x, { outChannels, kernel: 3, padding: 1, bias: true })
        x = builder.relu(`features.relu${index}`, x)
      }
      x = builder.maxPool(`features.pool${stage + 1}`, x, 2)
    }
    x = builder.flatten('classifier.flatten', x)
    x = builder.relu('classifier.relu1', builder.gemm('classifier.fc1', x, widths.hidden))
    return builder.gemm('classifier.fc2', x, classes)
  }
}

/** One depthwise-separable block; a residual connection is added where stride is 1 and the width does not change. */
export interface SeparableBlock {
  readonly outChannels: number
  readonly stride: number
}

/** Widths of {@link mobileNet}; the tests train narrow ones. */
export interface MobileNetWidths {
  readonly stem: number
  readonly blocks: readonly SeparableBlock[]
}

const MOBILENET_WIDTHS: MobileNetWidths = {
  stem: 24,
  blocks: [
    { outChannels: 48, stride: 2 },
    { outChannels: 48, stride: 1 },
    { outChannels: 96, stride: 2 },
    { outChannels: 96, stride: 1 },
    { outChannels: 96, stride: 1 },
    { outChannels: 160, stride: 1 },
  ],
}

/**
 * A small network in the manner of MobileNet (Howard et al. 2017) with residual connections as in MobileNetV2: a
 * convolution stem, depthwise-separable blocks, every convolution followed by batch normalization, global average pooling
 * and one fully connected layer.
 */
export function mobileNet(classes: number, widths: MobileNetWidths = MOBILENET_WIDTHS): Network {
  return (builder, images) => {
    let x = normalizedConv(builder, 'stem', images, { outChannels: widths.stem, kernel: 3, padding: 1 })
    x = builder.relu('stem.relu', x)
    for (const [index, block] of widths.blocks.entries()) x = separableBlock(builder, `blocks.${index + 1}`, x, block)
    x = builder.flatten('head.flatten', builder.globalAveragePool('head.pool', x))
    return builder.gemm('head.fc', x, classes)
  }
}

function separableBlock(builder: NetworkBuilder, name: string, x: Value, { outChannels, stride }: SeparableBlock): Value {
  const inChannels = x.shape[1] as number
  const depthwise = { outChannels: inChannels, kernel: 3, padding: 1, stride, groups: inChannels }
  const filtered = builder.relu(`${name}.depthwise.relu`, normalizedConv(builder, `${name}.depthwise`, x, depthwise))
  const mixed = normalizedConv(builder, `${name}.pointwise`, filtered, { outChannels, kernel: 1 })
  const residual = stride === 1 && inChannels === outChannels
  return builder.relu(`${name}.relu`, residual ? builder.add(`${name}.add`, mixed, x) : mixed)
}

function normalizedConv(
  builder: NetworkBuilder,
  name: string,
  x: Value,
  layer: {
    readonly outChannels: number
    readonly kernel: number
    readonly padding?: number
    readonly stride?: number
    readonly groups?: number
  },
): Value {
  return builder.batchNormalization(`${name}.bn`, builder.conv(`${name}.conv`, x, { ...layer, bias: false }))
}
