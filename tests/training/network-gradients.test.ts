import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { softmaxCrossEntropy } from '../../scripts/training/layers.ts'
import type { Network } from '../../scripts/training/network-builder.ts'
import { mobileNet, plainCnn } from '../../scripts/training/networks.ts'
import { SeededRandom } from '../../scripts/training/seeded-random.ts'
import { Tape, type Value } from '../../scripts/training/tape.ts'
import { TrainingGraph } from '../../scripts/training/training-graph.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'
import { randomValues } from './gradient-check.ts'

const BATCH = 6
const CLASSES = 4
const LABELS = [0, 1, 2, 3, 1, 2]
// Two step lengths, of which the better one counts: a ReLU or a maximum that flips between the two points bends the loss when
// the step is long, the rounding of float32 shows when it is short. A wrong gradient is wrong with both.
const STEPS = [1e-3, 2e-4]
const TOLERANCE = 0.01

/** A network with its loss, as functions of every parameter and of the images. */
class NetworkUnderTest {
  readonly values: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>
  private readonly session: InferenceSession

  private constructor(session: InferenceSession, values: NetworkUnderTest['values']) {
    this.session = session
    this.values = values
  }

  static async compile(network: Network, imageShape: readonly number[]): Promise<NetworkUnderTest> {
    const tape = new Tape()
    const images = tape.input('images', [BATCH, ...imageShape])
    const targets = tape.constant(oneHot(), [BATCH, CLASSES])
    const graph = new TrainingGraph(tape)
    const logits = network(graph, images)
    const wanted = [images, ...graph.parameters.map(({ value }) => value)]
    const gradients = tape.gradients(softmaxCrossEntropy(tape, logits, targets), wanted)
    const outputs = Object.fromEntries(wanted.map(({ name }, index) => [`gradient:${name}`, gradients[index] as Value]))
    const session = await InferenceSession.create(encodeModel(tape.model({ logits, ...outputs })), { intraOpNumThreads: 1 })

    const random = new SeededRandom(31)
    const fanIns = new Map(graph.parameters.map(({ parameter }) => [parameter.name, parameter.fanIn]))
    const start = wanted.map(({ name, shape }) => {
      const deviation = Math.sqrt(2 / (fanIns.get(name) ?? 2))
      return [name, { shape, values: randomValues(shape, random).map((value) => value * deviation) }] as const
    })
    return new NetworkUnderTest(session, new Map(start))
  }

  /** Central finite differences of the loss along a direction, one per step length. */
  async slopes(name: string, direction: Float32Array): Promise<number[]> {
    const slopes: number[] = []
    for (const step of STEPS) {
      slopes.push(((await this.loss(name, direction, step)) - (await this.loss(name, direction, -step))) / (2 * step))
    }
    return slopes
  }

  /** Mean cross-entropy with one tensor moved by `distance` along `direction`, computed in float64 from the logits. */
  private async loss(name: string, direction: Float32Array, distance: number): Promise<number> {
    const moved = this.values.get(name)?.values.map((value, index) => value + distance * (direction[index] as number)) as Float32Array
    const { logits } = await this.session.run(this.feeds(new Map([[name, moved]])), ['logits'])
    const scores = logits?.data as Float32Array
    const losses = LABELS.map((label, row) => {
      const own = Array.from(scores.subarray(row * CLASSES, (row + 1) * CLASSES))
      return Math.log(own.reduce((sum, score) => sum + Math.exp(score), 0)) - (own[label] as number)
    })
    return losses.reduce((sum, loss) => sum + loss, 0) / BATCH
  }

  async gradients(): Promise<Map<string, Float32Array>> {
    const results = await this.session.run(this.feeds(new Map()))
    return new Map([...this.values.keys()].map((name) => [name, results[`gradient:${name}`]?.data as Float32Array]))
  }

  private feeds(moved: ReadonlyMap<string, Float32Array>): Record<string, Tensor> {
    const tensors = [...this.values].map(([name, { shape, values }]) => [name, new Tensor('float32', moved.get(name) ?? values, shape)])
    return Object.fromEntries(tensors)
  }
}

function oneHot(): Float32Array {
  const targets = new Float32Array(BATCH * CLASSES)
  for (const [row, label] of LABELS.entries()) targets[row * CLASSES + label] = 1
  return targets
}

const norm = (vector: Float32Array) => Math.hypot(...vector)
const unit = (vector: Float32Array) => vector.map((value) => value / norm(vector))
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * (b[index] as number), 0)

const networks: [string, Network, number[]][] = [
  ['plain CNN', plainCnn(CLASSES, { stages: [[4], [5, 6]], hidden: 7 }), [1, 8, 8]],
  [
    'MobileNet',
    mobileNet(CLASSES, {
      stem: 4,
      blocks: [
        { outChannels: 6, stride: 2 },
        { outChannels: 6, stride: 1 },
        { outChannels: 8, stride: 2 },
        { outChannels: 8, stride: 1 },
      ],
    }),
    [1, 10, 10],
  ],
]

describe('gradients of whole networks against central finite differences', () => {
  test.each(networks)('%s', async (_, network, imageShape) => {
    const subject = await NetworkUnderTest.compile(network, imageShape)
    const random = new SeededRandom(12)
    const gradients = await subject.gradients()
    for (const [name, gradient] of gradients) {
      // Along the gradient itself the loss must rise by its length per unit; random directions show a part that is missing.
      const directions = [unit(gradient), unit(randomValues([gradient.length], random)), unit(randomValues([gradient.length], random))]
      for (const direction of directions) {
        const expected = dot(gradient, direction)
        const numeric = await subject.slopes(name, direction)
        const error = Math.min(...numeric.map((slope) => Math.abs(slope - expected))) / norm(gradient)
        expect(error, `gradient of ${name}: ${numeric} against ${expected}`).toBeLessThan(TOLERANCE)
      }
    }
    expect(gradients.size).toBeGreaterThan(8)
  })
})
