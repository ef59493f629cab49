import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { adamScalars, adamUpdate } from '../../scripts/training/adam.ts'
import { copyVaried } from '../../scripts/training/augmentation.ts'
import { learningRate } from '../../scripts/training/learning-rate.ts'
import { SeededRandom } from '../../scripts/training/seeded-random.ts'
import { Tape } from '../../scripts/training/tape.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'

describe('Adam', () => {
  test('two steps equal the update rule of the paper, with decoupled weight decay', async () => {
    const tape = new Tape()
    const [gradient, stepSize, shrinkage] = [tape.input('gradient', [3]), tape.input('stepSize', []), tape.input('shrinkage', [])]
    const state = { parameter: tape.input('parameter', [3]), moment: tape.input('moment', [3]), square: tape.input('square', [3]) }
    const next = adamUpdate(tape, state, gradient, { stepSize, shrinkage }, true)
    const session = await InferenceSession.create(encodeModel(tape.model({ p: next.parameter, m: next.moment, s: next.square })))

    const [rate, decay] = [0.1, 0.5]
    const gradients = [
      [1, -2, 0.5],
      [-3, -1, 0.25],
    ]
    let values = { parameter: [1, 2, 3], moment: [0, 0, 0], square: [0, 0, 0] }
    const expected = { parameter: [1, 2, 3], moment: [0, 0, 0], square: [0, 0, 0] }
    for (const [index, current] of gradients.entries()) {
      const step = index + 1
      const scalars = adamScalars(step, rate, decay)
      const vector = (list: readonly number[]) => new Tensor('float32', Float32Array.from(list), [3])
      const scalar = (value: number) => new Tensor('float32', Float32Array.of(value), [])
      const results = await session.run({
        gradient: vector(current),
        stepSize: scalar(scalars.stepSize),
        shrinkage: scalar(scalars.shrinkage),
        parameter: vector(values.parameter),
        moment: vector(values.moment),
        square: vector(values.square),
      })
      const list = (name: string) => Array.from(results[name]?.data as Float32Array)
      values = { parameter: list('p'), moment: list('m'), square: list('s') }

      for (let entry = 0; entry < 3; entry++) {
        const g = current[entry] as number
        const moment = 0.9 * (expected.moment[entry] as number) + 0.1 * g
        const square = 0.999 * (expected.square[entry] as number) + 0.001 * g * g
        const direction = moment / (1 - 0.9 ** step) / Math.sqrt(square / (1 - 0.999 ** step))
        expected.parameter[entry] = (expected.parameter[entry] as number) * (1 - rate * decay) - rate * direction
        expected.moment[entry] = moment
        expected.square[entry] = square
      }
      for (const entry of [0, 1, 2]) expect(values.parameter[entry]).toBeCloseTo(expected.parameter[entry] as number, 5)
    }
  })
})

describe('learning rate', () => {
  const schedule = { peak: 0.4, warmupSteps: 10, totalSteps: 110 }
  test.each([
    [1, 0.04],
    [10, 0.4],
    [60, 0.2],
    [110, 0],
  ])('step %i', (step, expected) => {
    expect(learningRate(schedule, step)).toBeCloseTo(expected, 12)
  })
})

describe('augmentation', () => {
  const size = { height: 3, width: 4 }
  const source = Uint8Array.from({ length: 24 }, (_, index) => index * 10)

  test('without variation the second image is copied as pixel / 255', () => {
    const target = new Float32Array(24)
    copyVaried(source, 12, target, 12, size, { maxShift: 0, flip: false }, new SeededRandom(1))
    expect(target).toEqual(Float32Array.from({ length: 24 }, (_, index) => (index < 12 ? 0 : (index * 10) / 255)))
  })

  test('every copy is the image shifted by at most 1 and perhaps mirrored, black where nothing came in, and all 18 forms occur', () => {
    const image = (mirrored: boolean, down: number, right: number) =>
      Float32Array.from({ length: 12 }, (_, index) => {
        const [row, column] = [Math.floor(index / 4) - down, (index % 4) - right]
        if (row < 0 || row > 2 || column < 0 || column > 3) return 0
        return (source[row * 4 + (mirrored ? 3 - column : column)] as number) / 255
      }).join()
    const forms = new Set(
      [false, true].flatMap((mirrored) => [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => image(mirrored, down, right)))),
    )
    const random = new SeededRandom(2)
    const seen = new Set<string>()
    for (let round = 0; round < 300; round++) {
      const target = new Float32Array(12)
      copyVaried(source, 0, target, 0, size, { maxShift: 1, flip: true }, random)
      seen.add(target.join())
    }
    expect(forms.size).toBe(18)
    expect(seen).toEqual(forms)
  })
})

describe('seeded random numbers', () => {
  test('mean and variance of the normal ones, range of the whole ones', () => {
    const random = new SeededRandom(3)
    const normal = Array.from({ length: 20_000 }, () => random.normal())
    const mean = normal.reduce((sum, value) => sum + value, 0) / normal.length
    const variance = normal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / normal.length
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(variance - 1)).toBeLessThan(0.05)
    expect(new Set(Array.from({ length: 1000 }, () => random.below(5)))).toEqual(new Set([0, 1, 2, 3, 4]))
  })

  test('shuffle keeps every entry', () => {
    const entries = Int32Array.from({ length: 100 }, (_, index) => index)
    new SeededRandom(4).shuffle(entries)
    expect(entries[0] === 0 && entries[1] === 1 && entries[2] === 2).toBe(false)
    expect(entries.toSorted()).toEqual(Int32Array.from({ length: 100 }, (_, index) => index))
  })
})

describe('tape', () => {
  test('a value without influence on the loss is a mistake', () => {
    const tape = new Tape()
    const [a, b] = [tape.input('a', [2]), tape.input('b', [2])]
    expect(() => tape.gradients(a, [b])).toThrow('b has no influence on a')
  })

  test('the model leaves out nodes and inputs that its outputs do not need', () => {
    const tape = new Tape()
    const [a, b] = [tape.input('a', [2]), tape.input('b', [2])]
    const sum = tape.emit('Add', [a, a], [2])
    tape.emit('Mul', [sum, b], [2])
    const { graph } = tape.model({ sum })
    expect(graph?.node.map(({ opType }) => opType)).toEqual(['Add', 'Identity'])
    expect(graph?.input.map(({ name }) => name)).toEqual(['a'])
  })
})
