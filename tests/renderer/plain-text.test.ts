import { describe, expect, it } from 'vitest'
import { plainLines, plainText } from '../../src/renderer/format/plain-text.ts'

describe('plainText', () => {
  it('leaves ordinary text of any script alone', () => {
    for (const text of ['conv1.weight', 'Größe 3×3', '模型-1', 'a  b']) expect(plainText(text)).toBe(text)
  })

  it('shows runs of control and invisible characters as one dot', () => {
    expect(plainText('a\u0000\u001b[31mb')).toBe('a·[31mb')
    expect(plainText('line\r\nnext')).toBe('line·next')
    expect(plainText('evil\u202egpj.exe')).toBe('evil·gpj.exe')
    expect(plainText('zero\u200bwidth')).toBe('zero·width')
    expect(plainText('lone \ud800 half')).toBe('lone · half')
  })

  it('cuts long text by characters, never in the middle of one', () => {
    expect(plainText('abcdef', 3)).toBe('abc…')
    expect(plainText('😀😀😀', 2)).toBe('😀😀…')
    expect(plainText('abc', 3)).toBe('abc')
  })

  it('takes no longer for a name of 50 MB', () => {
    expect(plainText('x'.repeat(50_000_000), 10)).toBe(`${'x'.repeat(10)}…`)
  })
})

describe('plainLines', () => {
  it('keeps lines and tabs, and nothing else that does not print', () => {
    expect(plainLines('a\r\nb\tc\u001b[0m\n')).toBe('a\nb\tc·[0m\n')
  })

  it('cuts at its limit', () => {
    expect(plainLines('abcdef', 3)).toBe('abc\n…')
  })
})
