import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeNode } from '../../../src/core/onnx/builders.ts'
import { exclusion } from '../../../src/core/quantization/exclusion.ts'

const node = (name: string, op = 'Conv') => makeNode(op, ['x'], ['y'], {}, { name })

describe('exclusion', () => {
  it('matches names, operator types and patterns', () => {
    const excluded = exclusion(['Gemm', 'stem.conv', 'head.*', 'block?.add'])
    expect(['stem.conv', 'head.', 'head.fc.1', 'block1.add'].map((name) => excluded(node(name)))).toEqual([true, true, true, true])
    expect(['stem.conv1', 'ahead.x', 'block10.add', 'block.add'].map((name) => excluded(node(name)))).toEqual([false, false, false, false])
    expect(excluded(node('anything', 'Gemm'))).toBe(true)
  })

  it('leaves alone what is not included, and excludes among what is', () => {
    const excluded = exclusion(['*.last'], ['head.*', 'MatMul'])
    expect(excluded(node('head.first'))).toBe(false)
    expect(excluded(node('head.last'))).toBe(true)
    expect(excluded(node('stem'))).toBe(true)
    expect(excluded(node('stem', 'MatMul'))).toBe(false)
  })

  it('knows a MatMul by the name it had before ONNX Runtime merged it with its bias', () => {
    expect(exclusion(['fc'])(node('fc/MatMulAddFusion', 'Gemm'))).toBe(true)
    expect(exclusion(['f*'])(node('fc/MatMulAddFusion', 'Gemm'))).toBe(true)
  })

  it('agrees with a regular expression, and treats all other characters as themselves', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '[', '$', '/'), maxLength: 12 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '(', '$', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(text, pattern, (name, glob) => {
        const source = glob
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')
        expect(exclusion([glob])(node(name))).toBe(new RegExp(`^${source}$`).test(name))
      }),
    )
  })

  it('takes a pattern full of stars in its stride', () => {
    expect(exclusion([`${'*a'.repeat(300)}*b`])(node('a'.repeat(1000)))).toBe(false)
  })
})
