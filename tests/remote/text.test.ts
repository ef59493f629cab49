import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChannelSlots } from '../../src/remote/channel-slots.ts'
import { LineTooLong, readLines } from '../../src/remote/read-lines.ts'
import { shownLines, shownText } from '../../src/remote/shown-text.ts'

describe('text of a device that is shown', () => {
  it.each([
    ['plain text', 'plain text'],
    ['  many   spaces\tand\nlines ', 'many spaces and lines'],
    ['\u001b[31;1mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007after', 'after'],
    ['\u001b]8;;http://x\u001b\\link', 'link'],
    ['bell\u0007 back\u0008 del\u007f c1\u009b', 'bell back del c1'],
    ['\u202eevil\u202c \u200bhidden\u2066', 'evil hidden'],
    ['日本語 ü', '日本語 ü'],
  ])('%j becomes %j', (text, shown) => {
    expect(shownText(text)).toBe(shown)
  })

  it('has no control character and no more than was asked for, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), fc.integer({ min: 1, max: 100 }), (text, limit) => {
        const shown = shownText(text, limit)
        expect(shown.length).toBeLessThanOrEqual(limit)
        expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u)
      }),
    )
  })

  it('keeps the lines of a log, the last ones', () => {
    expect(shownLines('one\n  two\r\n\tthree\u001b[0m\n\nfive\n', 10)).toBe('one\n  two\n  three\n\nfive')
    expect(shownLines('one\ntwo\nthree\n', 2)).toBe('two\nthree')
    expect(shownLines(`${'x'.repeat(50)}\n`, 2, 10)).toBe(`${'x'.repeat(10)}…`)
    expect(shownLines('', 5)).toBe('')
  })
})

describe('lines of a stream', () => {
  const linesOf = async (chunks: Buffer[], limit = 1000) => {
    const lines: string[] = []
    for await (const line of readLines(Readable.from(chunks), limit)) lines.push(line)
    return lines
  }

  it('are the same however they are cut', async () => {
    const text = 'first\n\nsecond ü\nlast'
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 30 }), async (sizes) => {
        const bytes = Buffer.from(text)
        const chunks: Buffer[] = []
        let at = 0
        for (const size of sizes) {
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        chunks.push(bytes.subarray(at))
        expect(await linesOf(chunks.filter(({ length }) => length > 0))).toEqual(['first', '', 'second ü', 'last'])
      }),
    )
  })

  it('end at their limit', async () => {
    expect(await linesOf([Buffer.from('12345\n12345')], 5)).toEqual(['12345', '12345'])
    await expect(linesOf([Buffer.from('123'), Buffer.from('456\n')], 5)).rejects.toThrow(LineTooLong)
    await expect(linesOf([Buffer.from('123'), Buffer.from('456')], 5)).rejects.toThrow(LineTooLong)
  })

  it('can be left early with the stream still open', async () => {
    const stream = Readable.from([Buffer.from('one\ntwo\n'), Buffer.from('three\n')])
    for await (const line of readLines(stream, 100)) if (line === 'one') break
    expect(stream.destroyed).toBe(false)
  })
})

describe('places on a connection', () => {
  it('are given out in order, and no more than there are', async () => {
    const slots = new ChannelSlots(2)
    const order: number[] = []
    let most = 0
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const giveBack = await slots.take()
        order.push(index)
        most = Math.max(most, slots.taken)
        await new Promise((resolve) => setTimeout(resolve, 1))
        giveBack()
        giveBack()
      }),
    )
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(most).toBe(2)
    expect(slots.taken).toBe(0)
  })

  it('become fewer when the server allows fewer, but never none', async () => {
    const slots = new ChannelSlots(3)
    const backs = [await slots.take(), await slots.take(), await slots.take()]
    slots.lower(0)
    const next = slots.take()
    backs[0]?.()
    backs[1]?.()
    expect(slots.taken).toBe(1)
    backs[2]?.()
    ;(await next)()
    expect(slots.taken).toBe(0)
  })
})
