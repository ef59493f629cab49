import { describe, expect, it } from 'vitest'
import { compareOutputs } from '../../../src/core/parity/compare-outputs.ts'
import type { LayerValues, MachineOutputs, OutputValues, ParityMachine } from '../../../src/core/parity/machine-outputs.ts'
import { ROUNDING_DB } from '../../../src/core/parity/parity-verdict.ts'

const oldPc: ParityMachine = { architecture: 'x64', cpuFeatures: ['avx2', 'fma'] }
const vnniPc: ParityMachine = { architecture: 'x64', cpuFeatures: ['avx2', 'fma', 'avx512_vnni'] }
const board: ParityMachine = { architecture: 'arm64', cpuFeatures: ['asimd', 'asimdhp', 'asimddp'] }

const signal = Float32Array.from({ length: 40 }, (_, index) => Math.sin(index * 1.3))
/** A signal with noise this many decibels below it. */
const noisy = (db: number, values = signal) => {
  const power = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
  return values.map((value, index) => value + power * 10 ** (-db / 20) * (index % 2 === 0 ? 1 : -1))
}

const output = (values: Float32Array, changes: Partial<OutputValues> = {}): OutputValues => ({
  name: 'scores',
  type: 'float32',
  shape: [4, 10],
  step: null,
  values,
  ...changes,
})
const layer = (name: string, values: Float32Array, inputs: readonly string[] = [], changes: Partial<LayerValues> = {}): LayerValues => ({
  layer: name,
  op: 'Conv',
  precision: 'float32',
  tensor: `${name}_out`,
  inputs: inputs.map((input) => `${input}_out`),
  step: null,
  values,
  ...changes,
})
const machine = (environment: ParityMachine, outputs: readonly OutputValues[], changes: Partial<MachineOutputs> = {}) => ({
  samples: 4,
  precision: 'float32' as const,
  layers: [],
  outputs,
  environment,
  ...changes,
})

describe('compareOutputs', () => {
  it('finds identical outputs identical: no noise, no suspects, nothing to do', () => {
    const both = machine(board, [output(signal)], { layers: [layer('a', signal)] })
    expect(compareOutputs(both, both)).toMatchObject({
      verdict: 'identical',
      samples: 4,
      top1Agreement: 1,
      outputs: [{ name: 'scores', shape: [4, 10], sqnrDb: null, maxAbsDiff: 0, meanAbsDiff: 0, cosine: 1 }],
      layers: [{ layer: 'a', sqnrDb: null, maxAbsDiff: 0, lostDb: null }],
      suspects: [],
      advice: null,
    })
  })

  it.each(['float32', 'float16', 'int8'] as const)('draws the line of rounding for %s where its precision does', (precision) => {
    const verdictAt = (db: number) =>
      compareOutputs(machine(oldPc, [output(signal)], { precision }), machine(board, [output(noisy(db))], { precision }))
    const [above, below] = [verdictAt(ROUNDING_DB[precision] + 1), verdictAt(ROUNDING_DB[precision] - 1)]
    expect(above).toMatchObject({ verdict: 'within rounding', advice: null, suspects: [] })
    expect(above.outputs[0]!.sqnrDb).toBeCloseTo(ROUNDING_DB[precision] + 1, 1)
    expect(below.verdict).toBe('different')
    expect(below.reason).toContain(`${ROUNDING_DB[precision]} dB`)
    expect(below.advice).toContain('Evaluate the build on the device')
  })

  it('takes one step of the 8-bit grid of an output for rounding, two not', () => {
    const grid = { step: 0.25 }
    const moved = (steps: number) => signal.map((value, index) => (index === 3 ? value + steps * 0.25 : value))
    const verdictOf = (steps: number) =>
      compareOutputs(
        machine(oldPc, [output(signal, { ...grid, shape: [40] })], { precision: 'int8' }),
        machine(board, [output(moved(steps), { ...grid, shape: [40] })], { precision: 'int8' }),
      ).verdict
    expect([verdictOf(1), verdictOf(2)]).toEqual(['within rounding', 'different'])
  })

  it('wants whole numbers equal, and every class', () => {
    const classes = (values: Float32Array) => output(values, { name: 'class', type: 'int64', shape: [4] })
    const wrong = compareOutputs(
      machine(oldPc, [classes(Float32Array.of(1, 2, 3, 4))]),
      machine(board, [classes(Float32Array.of(1, 2, 3, 5))]),
    )
    expect(wrong).toMatchObject({ verdict: 'different', top1Agreement: null, reason: expect.stringContaining('whole numbers') })
    // Two scores that change places within rounding.
    const scores = (first: number, second: number) => output(Float32Array.of(first, second, 1, 0), { shape: [2, 2] })
    const swapped = compareOutputs(
      machine(oldPc, [scores(0.5, 0.500_001)], { samples: 2 }),
      machine(board, [scores(0.500_001, 0.5)], { samples: 2 }),
    )
    expect(swapped).toMatchObject({ verdict: 'different', top1Agreement: 0.5 })
    expect(swapped.outputs[0]!.sqnrDb).toBeGreaterThan(100)
  })

  it('knows classes by one floating point score for each: not from maps, single values or counts', () => {
    const agreement = (shape: readonly number[], type = 'float32') => {
      const one = machine(oldPc, [output(signal, { shape, type })])
      return compareOutputs(one, one).top1Agreement
    }
    expect([agreement([4, 10]), agreement([4, 10, 1, 1]), agreement([4, 2, 5]), agreement([40]), agreement([4, 10], 'int32')]).toEqual([
      1,
      1,
      null,
      null,
      null,
    ])
  })

  it('tells values that are finite on one machine only, and another number of values', () => {
    const broken = signal.map((value, index) => (index === 7 ? Number.NaN : value))
    const found = compareOutputs(
      machine(oldPc, [output(signal)], { layers: [layer('a', signal), layer('b', signal, ['a']), layer('c', signal, ['b'])] }),
      machine(board, [output(broken)], { layers: [layer('a', signal), layer('b', broken, ['a']), layer('c', broken, ['b'])] }),
    )
    expect(found).toMatchObject({ verdict: 'different', outputs: [{ sqnrDb: null, maxAbsDiff: null, cosine: null }] })
    expect(found.suspects.map(({ layer: name }) => name)).toEqual(['b'])
    const longer = compareOutputs(machine(oldPc, [output(signal)]), machine(board, [output(Float32Array.of(1))]))
    expect(longer).toMatchObject({ verdict: 'different', reason: expect.stringContaining('number of values') })
  })

  it('names the layer that loses most, counts identical inputs as 144.5 dB, and lets what only passes noise on go', () => {
    const here = [layer('first', signal), layer('second', signal, ['first']), layer('third', signal, ['second'])]
    const there = [layer('first', noisy(120)), layer('second', noisy(60), ['first']), layer('third', noisy(59), ['second'])]
    const found = compareOutputs(machine(oldPc, [output(signal)], { layers: here }), machine(board, [output(noisy(59))], { layers: there }))
    expect(found.layers.map(({ lostDb }) => Math.round(lostDb!))).toEqual([25, 60, 1])
    expect(found.suspects.map(({ layer: name }) => name)).toEqual(['second', 'first'])
    expect(found.suspects[0]!.message).toContain('Kernels for x64 and arm64 add the products of Conv in another order')
  })

  it('says when 8-bit products saturate on one of the machines, and only then', () => {
    const suspect = (here: ParityMachine, there: ParityMachine, steps: number) => {
      const moved = signal.map((value, index) => (index % 5 === 0 ? value + steps * 0.1 : value))
      const int8 = { precision: 'int8' as const, step: 0.1 }
      return compareOutputs(
        machine(here, [output(signal)], { precision: 'int8', layers: [layer('conv', signal, [], int8)] }),
        machine(there, [output(noisy(20))], { precision: 'int8', layers: [layer('conv', moved, [], int8)] }),
      ).suspects[0]!.message
    }
    expect(suspect(oldPc, board, 4)).toContain('this computer is x64 without VNNI')
    expect(suspect(board, oldPc, 4)).toContain('the device is x64 without VNNI')
    expect(suspect(vnniPc, board, 4)).not.toContain('VNNI and')
    expect(suspect(oldPc, board, 1)).toContain('at most one step of the 8-bit grid')
  })

  it('says when only one machine computes in float16', () => {
    const half = { precision: 'float16' as const }
    const message = (here: ParityMachine, there: ParityMachine) =>
      compareOutputs(
        machine(here, [output(signal)], { ...half, layers: [layer('conv', signal, [], half)] }),
        machine(there, [output(noisy(20))], { ...half, layers: [layer('conv', noisy(25), [], half)] }),
      ).suspects[0]!.message
    expect(message(oldPc, board)).toContain('Only the device has float16 arithmetic')
    expect(message(board, { ...board })).not.toContain('float16 arithmetic')
  })

  it('refuses answers about something else', () => {
    const here = machine(oldPc, [output(signal)])
    expect(() => compareOutputs(here, machine(board, [output(signal, { name: 'other' })]))).toThrow(
      expect.objectContaining({ code: 'DEVICE_PROTOCOL', message: expect.stringContaining('"other"') }),
    )
    expect(() => compareOutputs(here, { ...here, samples: 3 })).toThrow(expect.objectContaining({ code: 'DEVICE_PROTOCOL' }))
  })
})
