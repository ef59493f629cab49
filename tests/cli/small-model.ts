import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeNpz } from '../../scripts/training/npz.ts'
import { makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { makeTensor } from '../../src/core/onnx/tensor-values.ts'
import { seededRandom } from '../../src/core/statistics/seeded-random.ts'

const FEATURES = 16
const HIDDEN = 32
const CLASSES = 4
export const SAMPLES = 120
/** Every so many labels is wrong on purpose, so that accuracy is known and not 1. */
const WRONG_EVERY = 10
export const ACCURACY = 1 - 1 / WRONG_EVERY

/** Files of a small classifier and of data whose accuracy under it is known: {@link ACCURACY}. */
export interface SmallFiles {
  readonly model: string
  readonly labelled: string
  readonly unlabelled: string
  /** Two arrays, and neither is called like the model's input. */
  readonly misnamed: string
  /** One feature too few. */
  readonly misshapen: string
  /** A label beyond the model's classes. */
  readonly outOfRange: string
  readonly empty: string
}

/** Writes them all to a folder. The classifier is Gemm → Relu → Gemm; labels are its own answers, worked out here. */
export async function writeSmallFiles(folder: string): Promise<SmallFiles> {
  const random = seededRandom(7)
  const values = (count: number, scale: number) => Float32Array.from({ length: count }, () => (random.uniform() * 2 - 1) * scale)
  const first = values(HIDDEN * FEATURES, 0.5)
  const second = values(CLASSES * HIDDEN, 0.5)
  const x = values(SAMPLES * FEATURES, 1)
  const path = (name: string) => join(folder, name)

  const model = makeModel({
    nodes: [
      makeNode('Gemm', ['x', 'first', 'bias1'], ['hidden'], { transB: 1 }, { name: 'gemm_1' }),
      makeNode('Relu', ['hidden'], ['active'], {}, { name: 'relu_1' }),
      makeNode('Gemm', ['active', 'second', 'bias2'], ['logits'], { transB: 1 }, { name: 'gemm_2' }),
    ],
    inputs: [makeValueInfo('x', 'float32', ['N', FEATURES])],
    outputs: [makeValueInfo('logits', 'float32', ['N', CLASSES])],
    initializers: [
      makeTensor('first', 'float32', [HIDDEN, FEATURES], first),
      makeTensor('bias1', 'float32', [HIDDEN], new Float32Array(HIDDEN)),
      makeTensor('second', 'float32', [CLASSES, HIDDEN], second),
      makeTensor('bias2', 'float32', [CLASSES], new Float32Array(CLASSES)),
    ],
    name: 'small',
  })
  await writeFile(path('small.onnx'), encodeModel(model))

  const labels = BigInt64Array.from({ length: SAMPLES }, (_, sample) => {
    const answer = topClass(x.subarray(sample * FEATURES, (sample + 1) * FEATURES), first, second)
    return BigInt(sample % WRONG_EVERY === 0 ? (answer + 1) % CLASSES : answer)
  })
  const samples = { shape: [SAMPLES, FEATURES], values: x }
  const broken = labels.slice()
  broken[5] = BigInt(CLASSES)
  await writeFile(path('labelled.npz'), encodeNpz({ x: samples, labels: { shape: [SAMPLES], values: labels } }))
  await writeFile(path('unlabelled.npz'), encodeNpz({ x: samples }))
  await writeFile(path('misnamed.npz'), encodeNpz({ pixels: samples, weights: samples, labels: { shape: [SAMPLES], values: labels } }))
  const short = { shape: [SAMPLES, FEATURES - 1], values: x.slice(0, SAMPLES * (FEATURES - 1)) }
  await writeFile(path('misshapen.npz'), encodeNpz({ x: short, labels: { shape: [SAMPLES], values: labels } }))
  await writeFile(path('out-of-range.npz'), encodeNpz({ x: samples, labels: { shape: [SAMPLES], values: broken } }))
  await writeFile(
    path('empty.npz'),
    encodeNpz({ x: { shape: [0, FEATURES], values: new Float32Array(0) }, labels: { shape: [0], values: new BigInt64Array(0) } }),
  )
  return {
    model: path('small.onnx'),
    labelled: path('labelled.npz'),
    unlabelled: path('unlabelled.npz'),
    misnamed: path('misnamed.npz'),
    misshapen: path('misshapen.npz'),
    outOfRange: path('out-of-range.npz'),
    empty: path('empty.npz'),
  }
}

function topClass(sample: Float32Array, first: Float32Array, second: Float32Array): number {
  const hidden = Array.from({ length: HIDDEN }, (_, row) => Math.max(0, dot(first, row * FEATURES, sample)))
  const scores = Array.from({ length: CLASSES }, (_, row) => dot(second, row * HIDDEN, hidden))
  return scores.indexOf(Math.max(...scores))
}

function dot(matrix: Float32Array, offset: number, vector: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) sum += (matrix[offset + i] as number) * (vector[i] as number)
  return sum
}
