// Trains one of the sample networks on Fashion-MNIST and writes it with its entry in MANIFEST.json. See README.md.
import { basename, dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../../src/core/core-error.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { elementCount } from '../../src/core/onnx/tensor-values.ts'
import { rightAnswers } from './accuracy.ts'
import { requireWritableFolder, runProgram, wholeNumber } from './command-line.ts'
import { FASHION_MNIST_FOLDER, FASHION_MNIST_LABELS, IMAGE_SIZE, readFashionMnist, stratifiedIndices } from './fashion-mnist.ts'
import { inferenceModel } from './inference-graph.ts'
import { writeWithManifest } from './manifest.ts'
import type { Network } from './network-builder.ts'
import { mobileNet, plainCnn } from './networks.ts'
import { FASHION_MNIST_ORIGIN, sourcesOf, toolVersions } from './provenance.ts'
import { SAMPLE_FILES } from './sample-files.ts'
import { type TrainingOptions, train } from './trainer.ts'

interface SampleNetwork {
  readonly build: (classes: number) => Network
  readonly description: string
  readonly epochs: number
  /** Highest rate; batch normalization allows a higher one. */
  readonly peakLearningRate: number
}

const NETWORKS: Readonly<Record<string, SampleNetwork>> = {
  cnn: {
    build: plainCnn,
    description: 'Plain CNN: four 3x3 convolutions with ReLU, three max poolings, two fully connected layers.',
    epochs: 12,
    peakLearningRate: 1.5e-3,
  },
  mobilenet: {
    build: mobileNet,
    description: 'MobileNet-like: depthwise-separable blocks with BatchNormalization nodes and residual connections.',
    epochs: 10,
    peakLearningRate: 3e-3,
  },
}

const BATCH_SIZE = 120
const USAGE =
  'node scripts/training/train.ts --network cnn|mobilenet [--epochs N] [--seed S] [--threads N] [--data FOLDER] --out models/FILE.onnx'

async function main(): Promise<void> {
  const { name, network, out, folder, options } = readArguments()
  requireWritableFolder(dirname(out))
  const training = readFashionMnist('train', folder)
  const test = readFashionMnist('test', folder)
  const images = { ...training, height: IMAGE_SIZE, width: IMAGE_SIZE, classes: FASHION_MNIST_LABELS.length }
  const build = network.build(FASHION_MNIST_LABELS.length)

  const start = performance.now()
  const seconds = () => Math.round((performance.now() - start) / 1000)
  console.log(`training ${name} on ${training.count} images: ${JSON.stringify(options)}`)
  const trained = await train(build, images, options, ({ epoch, loss }) => {
    console.log(`epoch ${epoch}/${options.epochs}  loss ${loss.toFixed(4)}  ${seconds()} s`)
  })
  const trainingSeconds = seconds()

  const imageShape = [1, IMAGE_SIZE, IMAGE_SIZE]
  const metadata = {
    'edgesmith.labels': JSON.stringify(FASHION_MNIST_LABELS),
    author: 'Edgesmith',
    license: 'MIT',
    dataset: FASHION_MNIST_ORIGIN,
  }
  const measured = await rightAnswers(encodeModel(inferenceModel(build, trained, imageShape, { name, metadata })), test, options.threads)
  const count = (right: readonly boolean[]) => ({ correct: right.filter(Boolean).length, samples: right.length })
  const sampleIndices = stratifiedIndices(test.labels, SAMPLE_FILES.test.count)
  const accuracy = {
    test: count(measured),
    sample: { file: SAMPLE_FILES.test.file, ...count(sampleIndices.map((index) => measured[index] as boolean)) },
  }
  const statement = `${accuracy.test.correct} of ${accuracy.test.samples} Fashion-MNIST test images`
  const model = inferenceModel(build, trained, imageShape, { name, metadata: { ...metadata, accuracy: statement } })

  const entry = writeWithManifest(out, encodeModel(model), {
    kind: 'model',
    description: network.description,
    origin: 'Trained by this project from random weights',
    licence: { spdx: 'MIT', copyright: 'Copyright (c) 2026 The Edgesmith authors', notice: '../LICENSE' },
    made: {
      command: `node scripts/training/train.ts --network ${name} --epochs ${options.epochs} --seed ${options.seed} --threads ${options.threads} --out models/${basename(out)}`,
      tools: toolVersions('onnxruntime-node'),
      trainingImages: training.count,
      trainingSeconds,
      options,
      sources: sourcesOf(training, test),
    },
    inputs: [{ name: 'input', type: 'float32', shape: ['N', ...imageShape] }],
    outputs: [{ name: 'probabilities', type: 'float32', shape: ['N', FASHION_MNIST_LABELS.length] }],
    parameters: parameterCount(model),
    accuracy,
  })
  console.log(
    `${out}: ${entry.sizeBytes} bytes, right on ${statement} and on ${accuracy.sample.correct} of ${accuracy.sample.samples} of the sample`,
  )
}

function readArguments() {
  const { values } = parse()
  const network = NETWORKS[values.network ?? '']
  if (!network || !values.network) throw new CoreError('USAGE', '--network must be cnn or mobilenet', { hint: USAGE })
  if (!values.out?.endsWith('.onnx')) throw new CoreError('USAGE', '--out must name an .onnx file', { hint: USAGE })
  const options: TrainingOptions = {
    epochs: values.epochs === undefined ? network.epochs : wholeNumber('epochs', values.epochs, 1, 1000),
    batchSize: BATCH_SIZE,
    peakLearningRate: network.peakLearningRate,
    warmupShare: 0.05,
    weightDecay: 0.02,
    augmentation: { maxShift: 2, flip: true },
    seed: wholeNumber('seed', values.seed, 0, 2 ** 32 - 1),
    threads: wholeNumber('threads', values.threads, 1, 64),
  }
  return { name: values.network, network, out: values.out, folder: values.data, options }
}

function parse() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      options: {
        network: text,
        epochs: text,
        seed: { ...text, default: '1' },
        threads: { ...text, default: '2' },
        data: { ...text, default: FASHION_MNIST_FOLDER },
        out: text,
      },
    })
  } catch (error) {
    throw new CoreError('USAGE', error instanceof Error ? error.message : String(error), { hint: USAGE })
  }
}

/** All stored values, running averages included. */
function parameterCount(model: ModelProto): number {
  return (model.graph?.initializer ?? []).reduce((sum, tensor) => sum + elementCount(tensor.dims), 0)
}

await runProgram(main)
