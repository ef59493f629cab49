import { expect, it } from 'vitest'
import { ImageTurns } from '../../../src/agent/serve/images/image-turns.ts'

/** Work that ends when it is told to. */
function images(turns: ImageTurns) {
  const running: number[] = []
  const ends = new Map<number, (error?: Error) => void>()
  return {
    running,
    begin: (pixels: number, asker = { isOver: () => false }) =>
      turns.take(pixels, asker, () => {
        running.push(pixels)
        return new Promise<void>((resolve, reject) =>
          ends.set(pixels, (error) => {
            running.splice(running.indexOf(pixels), 1)
            if (error) reject(error)
            else resolve()
          }),
        )
      }),
    end: async (pixels: number, error?: Error) => {
      ends.get(pixels)?.(error)
      // Whoever waits starts in a later turn.
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

it('images are decoded beside each other as long as they are few and small together, in the order they came', async () => {
  const { running, begin, end } = images(new ImageTurns(3, 100))
  const done = [60, 30, 5, 4, 200, 1].map((pixels) => begin(pixels))
  await end(0)
  expect(running).toEqual([60, 30, 5])
  await end(30)
  expect(running).toEqual([60, 5, 4])
  // One that is too large for its turn is not overtaken, and then decoded alone.
  await end(60)
  await end(5)
  expect(running).toEqual([4])
  const failed = expect(done[3]).rejects.toThrow('broken')
  await end(4, new Error('broken'))
  await failed
  expect(running).toEqual([200])
  await end(200)
  expect(running).toEqual([1])
  await end(1)
  await Promise.allSettled(done)
  expect(running).toEqual([])
})

it('an image that nobody waits for any more is forgotten when the next one comes or goes, and takes no turn', async () => {
  const { running, begin, end } = images(new ImageTurns(1, 100))
  let isOver = false
  const abandoned = () => begin(2, { isOver: () => isOver })
  const first = begin(1)
  const behind = [abandoned(), begin(3), abandoned()]
  isOver = true
  const last = begin(4)
  const codes = await Promise.allSettled([behind[0], behind[2]])
  expect(codes).toEqual(Array(2).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'DEADLINE_EXCEEDED' }) }))
  expect(running).toEqual([1])
  await end(1)
  expect(running).toEqual([3])
  await end(3)
  expect(running).toEqual([4])
  await end(4)
  await Promise.all([first, behind[1], last])
})
