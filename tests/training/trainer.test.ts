import { describe, expect, test } from 'vitest'
import { mobileNet, plainCnn } from '../../scripts/training/networks.ts'
import { SeededRandom } from '../../scripts/training/seeded-random.ts'
import { type TrainingImages, type TrainingOptions, train } from '../../scripts/training/trainer.ts'

const SIZE = 8
const OPTIONS: TrainingOptions = {
  epochs: 10,
  batchSize: 16,
  peakLearningRate: 0.01,
  warmupShare: 0.1,
  weightDecay: 0.01,
  augmentation: { maxShift: 1, flip: true },
  seed: 5,
  threads: 1,
}

/** Noise with one bright bar: lying (0), standing (1), or none (2). Neither shifts nor mirroring change the class. */
function barImages(count: number): TrainingImages {
  const random = new SeededRandom(77)
  const pixels = Uint8Array.from({ length: count * SIZE * SIZE }, () => random.below(100))
  const labels = Uint8Array.from({ length: count }, () => random.below(3))
  for (const [image, label] of labels.entries()) {
    const place = 2 + random.below(SIZE - 4)
    for (let step = 0; step < SIZE; step++) {
      const [row, column] = label === 0 ? [place, step] : [step, place]
      if (label < 2) pixels[image * SIZE * SIZE + row * SIZE + column] = 220
    }
  }
  return { count, height: SIZE, width: SIZE, pixels, labels, classes: 3 }
}

const cnn = plainCnn(3, { stages: [[8], [12]], hidden: 24 })
const separable = mobileNet(3, {
  stem: 4,
  blocks: [
    { outChannels: 8, stride: 2 },
    { outChannels: 8, stride: 1 },
  ],
})

describe('training', () => {
  test.each([
    ['plain CNN', cnn],
    ['MobileNet', separable],
  ])('%s: the loss falls far below guessing', async (_, network) => {
    const losses: number[] = []
    await train(network, barImages(256), OPTIONS, ({ loss }) => losses.push(loss))
    expect(losses).toHaveLength(OPTIONS.epochs)
    expect(losses[0]).toBeLessThan(2 * Math.log(3))
    expect(losses.at(-1)).toBeLessThan(0.3 * Math.log(3))
  })

  test('the same seed gives the same tensors, another seed others', async () => {
    const run = (seed: number) => train(separable, barImages(64), { ...OPTIONS, epochs: 1, seed }, () => {})
    const [first, second, other] = [await run(5), await run(5), await run(6)]
    expect(second).toEqual(first)
    expect(other.get('stem.conv.weight')).not.toEqual(first.get('stem.conv.weight'))
  })

  test('batch normalization leaves running averages, the optimizer leaves nothing', async () => {
    const trained = await train(separable, barImages(64), { ...OPTIONS, epochs: 1 }, () => {})
    const variance = trained.get('stem.bn.running_var') as Float32Array
    expect(variance.every((value) => value > 0 && value !== 1)).toBe(true)
    expect([...trained.keys()].filter((name) => name.includes(':'))).toEqual([])
  })

  test('images that do not fill one batch are refused', async () => {
    await expect(train(cnn, barImages(10), OPTIONS, () => {})).rejects.toThrow('do not fill a batch')
  })

  test('a loss that is no number ends the training', async () => {
    const broken = { ...OPTIONS, peakLearningRate: 1e30 }
    await expect(train(cnn, barImages(64), broken, () => {})).rejects.toThrow('lower the learning rate')
  })
})
