import '../../src/engine/runtimes/no-telemetry.ts'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { adamScalars } from './adam.ts'
import { type Augmentation, copyVaried } from './augmentation.ts'
import { type LearningRateSchedule, learningRate } from './learning-rate.ts'
import type { Network } from './network-builder.ts'
import { SeededRandom } from './seeded-random.ts'
import { buildTrainingStep, nextName, type StateTensor } from './training-step.ts'

/** Grey images to train on. */
export interface TrainingImages {
  readonly count: number
  readonly height: number
  readonly width: number
  /** [count,height,width], 0 to 255. */
  readonly pixels: Uint8Array
  /** [count], 0 to classes − 1. */
  readonly labels: Uint8Array
  readonly classes: number
}

/** How to train. */
export interface TrainingOptions {
  readonly epochs: number
  readonly batchSize: number
  /** Learning rate at its highest. */
  readonly peakLearningRate: number
  /** Share of all steps in which the learning rate rises. */
  readonly warmupShare: number
  readonly weightDecay: number
  readonly augmentation: Augmentation
  readonly seed: number
  readonly threads: number
}

/** What is told after each epoch. */
export interface EpochReport {
  readonly epoch: number
  /** Mean over the epoch, measured on the varied images while the network was still changing. */
  readonly loss: number
}

/**
 * Trains a network from random weights; the last incomplete batch of an epoch is left out.
 *
 * @returns all trained tensors by name (parameters and running averages of batch normalization)
 * @throws Error when the loss is no longer a finite number, or when there are fewer images than one batch
 */
export async function train(
  network: Network,
  images: TrainingImages,
  options: TrainingOptions,
  report: (epoch: EpochReport) => void,
): Promise<Map<string, Float32Array>> {
  const { batchSize, epochs } = options
  const { height, width } = images
  const stepsPerEpoch = Math.floor(images.count / batchSize)
  if (stepsPerEpoch === 0) throw new Error(`${images.count} images do not fill a batch of ${batchSize}`)
  const totalSteps = epochs * stepsPerEpoch
  const schedule = { peak: options.peakLearningRate, warmupSteps: Math.ceil(totalSteps * options.warmupShare), totalSteps }

  const random = new SeededRandom(options.seed)
  const stepModel = buildTrainingStep(network, { batchSize, imageShape: [1, height, width], classes: images.classes })
  const session = await InferenceSession.create(encodeModel(stepModel.model), { intraOpNumThreads: options.threads })
  const state = new Map(stepModel.state.map((tensor) => [tensor.name, startTensor(tensor, random)]))
  const order = Int32Array.from({ length: images.count }, (_, index) => index)
  try {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      random.shuffle(order)
      let lossSum = 0
      for (let index = 0; index < stepsPerEpoch; index++) {
        const batch = order.subarray(index * batchSize, (index + 1) * batchSize)
        const feeds = batchTensors(images, batch, options.augmentation, random)
        const step = (epoch - 1) * stepsPerEpoch + index + 1
        lossSum += await runStep(session, state, feeds, stepScalars(schedule, step, options.weightDecay))
      }
      const loss = lossSum / stepsPerEpoch
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} in epoch ${epoch}: lower the learning rate`)
      report({ epoch, loss })
    }
  } finally {
    await session.release()
  }
  const trained = stepModel.state.filter(({ name }) => !/:(moment|square)$/.test(name))
  return new Map(trained.map(({ name }) => [name, (state.get(name) as Tensor).data as Float32Array]))
}

type Feeds = Record<string, Tensor>

/** Runs one step, replaces the tensors in `state` by the new ones and gives the loss. */
async function runStep(session: InferenceSession, state: Map<string, Tensor>, batch: Feeds, scalars: Feeds): Promise<number> {
  const results = await session.run({ ...batch, ...scalars, ...Object.fromEntries(state) })
  for (const name of state.keys()) state.set(name, results[nextName(name)] as Tensor)
  return (results.loss as Tensor).data[0] as number
}

function stepScalars(schedule: LearningRateSchedule, step: number, weightDecay: number): Feeds {
  const scalars = adamScalars(step, learningRate(schedule, step), weightDecay)
  return {
    stepSize: new Tensor('float32', Float32Array.of(scalars.stepSize), []),
    shrinkage: new Tensor('float32', Float32Array.of(scalars.shrinkage), []),
  }
}

function batchTensors(images: TrainingImages, batch: Int32Array, augmentation: Augmentation, random: SeededRandom): Feeds {
  const { height, width, classes } = images
  const pixels = new Float32Array(batch.length * height * width)
  const targets = new Float32Array(batch.length * classes)
  for (const [place, index] of batch.entries()) {
    copyVaried(images.pixels, index * height * width, pixels, place * height * width, { height, width }, augmentation, random)
    targets[place * classes + (images.labels[index] as number)] = 1
  }
  return {
    images: new Tensor('float32', pixels, [batch.length, 1, height, width]),
    targets: new Tensor('float32', targets, [batch.length, classes]),
  }
}

function startTensor({ shape, start }: StateTensor, random: SeededRandom): Tensor {
  return new Tensor('float32', startValues(shape, start, random), shape)
}

function startValues(shape: readonly number[], start: StateTensor['start'], random: SeededRandom): Float32Array {
  const values = new Float32Array(shape.reduce((product, dim) => product * dim, 1))
  if (typeof start === 'number') return values.fill(start)
  if (start.start === 'he') {
    const deviation = Math.sqrt(2 / start.fanIn)
    return values.map(() => deviation * random.normal())
  }
  return values.fill(start.start === 'ones' ? 1 : 0)
}
