import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearNames } from '../../../src/core/graph-surgery/near-names.ts'
import { chosenTensors } from '../../../src/core/graph-surgery/tensor-choice.ts'

const names = ['input', 'state', 'sr', '/encoder/layer.0/Relu_output_0', '/encoder/layer.1/Relu_output_0', 'logits']

describe('nearNames', () => {
  it.each([
    ['inptu', ['input']],
    ['SR', ['sr']],
    ['layer.1', ['/encoder/layer.1/Relu_output_0']],
    ['/encoder/layer.0/Relu_output', ['/encoder/layer.0/Relu_output_0', '/encoder/layer.1/Relu_output_0']],
    ['quite another thing', []],
  ])('finds what %s may mean', (wanted, expected) => {
    expect(nearNames(wanted, names)).toEqual(expected)
  })

  it('puts the name itself first, however long the list and the names', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 300 }),
        fc.array(fc.string({ maxLength: 300 }), { maxLength: 30 }),
        (name, others) => {
          const found = nearNames(name, [...others, name], 1)[0]!
          expect(found.slice(0, 100).toLowerCase()).toBe(name.slice(0, 100).toLowerCase())
        },
      ),
    )
  })
})

describe('chosenTensors', () => {
  it('keeps the order given, patterns in the order of the graph, each tensor once', () => {
    expect(chosenTensors(['logits', '/encoder/*', 's?', 'logits'], names, 'an output')).toEqual(['logits', names[3], names[4], 'sr'])
  })

  it('takes a name with a wildcard in it for that name first', () => {
    expect(chosenTensors(['a*'], ['a*', 'ab'], 'an input')).toEqual(['a*'])
  })

  it('refuses a pattern that matches nothing', () => {
    expect(() => chosenTensors(['*.weight'], names, 'an input')).toThrow(/No tensor "\*\.weight" can be an input/)
  })
})
