import { describe, expect, test } from 'vitest'
import { batchNormalization } from '../../scripts/training/batch-normalization.ts'
import { type ConvOptions, conv } from '../../scripts/training/convolution.ts'
import { add, flatten, gemm, globalAveragePool, maxPool, relu, softmaxCrossEntropy } from '../../scripts/training/layers.ts'
import { SeededRandom } from '../../scripts/training/seeded-random.ts'
import { Tape, type Value } from '../../scripts/training/tape.ts'
import { type Differentiable, type Feeds, largestRelativeError, randomValues } from './gradient-check.ts'

// Layers that are linear between their kinks have no truncation error, so that a large step keeps rounding small; inputs stay
// further from the kinks than the step. Curved layers (batch normalization, softmax) balance both with a smaller one.
const LINEAR_STEP = 0.05
const CURVED_STEP = 0.02
const LINEAR_TOLERANCE = 1e-4
const CURVED_TOLERANCE = 1e-3

function randomFeeds(shapes: Differentiable['shapes'], seed: number): Map<string, Float32Array> {
  const random = new SeededRandom(seed)
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, randomValues(shape, random)]))
}

/** Different values at least 0.15 apart and 0.075 from zero, in random order: no step of 0.05 crosses a kink of ReLU or MaxPool. */
function separatedValues(length: number, seed: number): Float32Array {
  const order = Int32Array.from({ length }, (_, index) => index)
  new SeededRandom(seed).shuffle(order)
  return Float32Array.from(order, (place) => (place - Math.floor(length / 2) + 0.5) * 0.15)
}

async function expectGradients(subject: Differentiable, names: readonly string[], values: Feeds, step: number, tolerance: number) {
  const errors = await largestRelativeError(subject, names, values, step)
  for (const name of names) expect(errors[name], `gradient of ${name}`).toBeLessThan(tolerance)
}

describe('gradients against central finite differences', () => {
  const convolutions: [string, number[], number[], ConvOptions][] = [
    ['3x3, padding 1', [2, 3, 5, 4], [4, 3, 3, 3], { padding: 1 }],
    ['3x3, no padding', [2, 2, 5, 5], [3, 2, 3, 3], {}],
    ['stride 2, every row reached', [2, 2, 7, 7], [3, 2, 3, 3], { stride: 2, padding: 1 }],
    ['stride 2, last row and column unreached', [2, 2, 6, 8], [3, 2, 3, 3], { stride: 2, padding: 1 }],
    ['stride 2, no padding, last row unreached', [2, 2, 6, 7], [3, 2, 3, 3], { stride: 2 }],
    ['1x1', [3, 4, 3, 3], [5, 4, 1, 1], {}],
    ['1x1, stride 2', [2, 3, 5, 4], [2, 3, 1, 1], { stride: 2 }],
    ['two groups', [2, 4, 5, 5], [6, 2, 3, 3], { padding: 1, groups: 2 }],
    ['two groups, stride 2', [2, 4, 6, 5], [2, 2, 3, 3], { stride: 2, padding: 1, groups: 2 }],
    ['depthwise', [3, 4, 5, 5], [4, 1, 3, 3], { padding: 1, groups: 4 }],
    ['depthwise, stride 2, last row unreached', [2, 3, 6, 7], [3, 1, 3, 3], { stride: 2, padding: 1, groups: 3 }],
    ['depthwise with multiplier', [2, 2, 5, 5], [4, 1, 3, 3], { padding: 1, groups: 2 }],
  ]
  test.each(convolutions)('Conv %s', async (_, x, weight, options) => {
    const shapes = { x, weight, bias: [weight[0] as number] }
    const build = (tape: Tape, inputs: Readonly<Record<string, Value>>) =>
      conv(tape, inputs.x as Value, inputs.weight as Value, inputs.bias as Value, options)
    await expectGradients({ shapes, build }, ['x', 'weight', 'bias'], randomFeeds(shapes, 1), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test('Conv refuses channels that do not fit its groups', () => {
    const tape = new Tape()
    const [x, weight] = [tape.input('x', [1, 3, 4, 4]), tape.input('weight', [4, 2, 3, 3])]
    expect(() => conv(tape, x, weight, undefined, { groups: 2 })).toThrow('Conv with 2 groups')
  })

  test('BatchNormalization with batch statistics', async () => {
    const shapes = { x: [4, 3, 3, 2], scale: [3], bias: [3] }
    const build = (tape: Tape, { x, scale, bias }: Readonly<Record<string, Value>>) =>
      batchNormalization(tape, x as Value, scale as Value, bias as Value).output
    const values = randomFeeds(shapes, 2)
    // Channels with means and deviations of their own, so that forgetting either shows.
    values.set('x', values.get('x')?.map((value, index) => value * (1 + (Math.floor(index / 6) % 3)) + 0.5) as Float32Array)
    await expectGradients({ shapes, build }, ['x', 'scale', 'bias'], values, CURVED_STEP, CURVED_TOLERANCE)
  })

  test('Relu', async () => {
    const shapes = { x: [2, 3, 4] }
    const build = (tape: Tape, { x }: Readonly<Record<string, Value>>) => relu(tape, x as Value)
    await expectGradients({ shapes, build }, ['x'], new Map([['x', separatedValues(24, 3)]]), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test.each([
    [2, [2, 3, 4, 6]],
    [2, [2, 2, 7, 5]],
    [3, [1, 2, 7, 6]],
  ])('MaxPool %i of %j', async (size, x) => {
    const shapes = { x }
    const build = (tape: Tape, inputs: Readonly<Record<string, Value>>) => maxPool(tape, inputs.x as Value, size)
    const values = separatedValues(
      x.reduce((product, dim) => product * dim, 1),
      4,
    )
    await expectGradients({ shapes, build }, ['x'], new Map([['x', values]]), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test('GlobalAveragePool', async () => {
    const shapes = { x: [2, 3, 4, 5] }
    const build = (tape: Tape, { x }: Readonly<Record<string, Value>>) => globalAveragePool(tape, x as Value)
    await expectGradients({ shapes, build }, ['x'], randomFeeds(shapes, 5), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test('Add where both sides are the same value, and a residual around a layer', async () => {
    const shapes = { x: [2, 3, 4, 4], weight: [3, 3, 3, 3] }
    const build = (tape: Tape, inputs: Readonly<Record<string, Value>>) => {
      const [x, weight] = [inputs.x as Value, inputs.weight as Value]
      return add(tape, add(tape, x, x), conv(tape, x, weight, undefined, { padding: 1 }))
    }
    await expectGradients({ shapes, build }, ['x', 'weight'], randomFeeds(shapes, 6), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test('Flatten and Gemm', async () => {
    const shapes = { x: [3, 2, 2, 2], weight: [4, 8], bias: [4] }
    const build = (tape: Tape, { x, weight, bias }: Readonly<Record<string, Value>>) =>
      gemm(tape, flatten(tape, x as Value), weight as Value, bias as Value)
    await expectGradients({ shapes, build }, ['x', 'weight', 'bias'], randomFeeds(shapes, 7), LINEAR_STEP, LINEAR_TOLERANCE)
  })

  test('softmax cross-entropy with softened targets', async () => {
    const shapes = { logits: [3, 4], targets: [3, 4] }
    const build = (tape: Tape, { logits, targets }: Readonly<Record<string, Value>>) =>
      softmaxCrossEntropy(tape, logits as Value, targets as Value)
    const values = randomFeeds(shapes, 8)
    values.set('targets', Float32Array.of(0.7, 0.1, 0.1, 0.1, 0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25))
    await expectGradients({ shapes, build }, ['logits'], values, CURVED_STEP, CURVED_TOLERANCE)
  })
})
