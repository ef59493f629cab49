import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAME_LINE_LIMIT } from '../../src/contract/detached-run.ts'
import { readFrames } from '../../src/remote/read-frames.ts'
import '../fuzz-seed.ts'

async function read(bytes: Buffer, cuts: readonly number[]) {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
  const found = []
  for await (const received of readFrames(Readable.from(chunks, { objectMode: false }), 'board')) found.push(received)
  return found
}

const frame = fc.oneof(
  fc.record({
    type: fc.constantFrom('out' as const, 'err' as const),
    offset: fc.nat(),
    content: fc.uint8Array({ minLength: 1, maxLength: 200 }),
  }),
  fc.record({ type: fc.constant('note' as const), text: fc.string({ maxLength: 50 }) }),
  fc.record({ type: fc.constantFrom('cancelling' as const, 'missing' as const) }),
)

describe('frames of a run', () => {
  it('arrive the same however the bytes are cut; a half one at the end is left out', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 10 }), fc.array(fc.nat(), { maxLength: 20 }), fc.nat(), async (frames, cuts, lost) => {
        const parts = frames.map((each) => {
          if (!('content' in each)) return Buffer.from(`${JSON.stringify(each)}\n`)
          const { content, ...rest } = each
          return Buffer.concat([Buffer.from(`${JSON.stringify({ ...rest, bytes: content.length })}\n`), content])
        })
        const all = await read(Buffer.concat(parts), cuts)
        expect(all.map(({ frame: { type } }) => type)).toEqual(frames.map(({ type }) => type))
        for (const [index, { content }] of all.entries()) {
          const expected = frames[index]
          expect(Buffer.from(content)).toEqual(Buffer.from(expected && 'content' in expected ? expected.content : []))
        }
        const last = parts.at(-1)
        if (!last) return
        const cut = Buffer.concat(parts).subarray(0, -1 - (lost % last.length))
        expect(await read(cut, cuts)).toHaveLength(frames.length - 1)
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['text', 'Segmentation fault\n'],
    ['another kind', '{"type":"later"}\n'],
    ['too many bytes', '{"type":"out","offset":0,"bytes":9999999}\n'],
    ['a line without an end', 'x'.repeat(FRAME_LINE_LIMIT + 1)],
  ])('are refused when they are none: %s', async (_, text) => {
    await expect(read(Buffer.from(text), [])).rejects.toMatchObject({ code: 'DEVICE_PROTOCOL' })
  })
})
