import { expect, it } from 'vitest'
import { AnswerDivergence } from '../../../src/core/rollout/answer-divergence.ts'

const value = (y: unknown) => ({ class: undefined, outputs: { y } })

it('compares classes where there are some', () => {
  const divergence = new AnswerDivergence()
  const answer = (index: number, scores: number[]) => ({ class: index, outputs: { scores } })
  divergence.add(answer(1, [0.1, 0.9]), answer(1, [0.4, 0.6]))
  divergence.add(answer(0, [0.51, 0.49]), answer(1, [0.49, 0.51]))
  expect(divergence.counts).toEqual({ compared: 2, differing: 1 })
})

it('compares numbers with the range the stable release has had', () => {
  const divergence = new AnswerDivergence()
  // Learns the range 0 to 100.
  for (let y = 0; y <= 100; y++) divergence.add(value([[y]]), value([[y]]))
  expect(divergence.counts).toEqual({ compared: 101, differing: 0 })
  divergence.add(value([[50]]), value([[59]]))
  expect(divergence.counts.differing).toBe(0)
  divergence.add(value([[50]]), value([[61]]))
  divergence.add(value([[null]]), value([[50]]))
  divergence.add(value([[1, 2]]), value([[1]]))
  divergence.add({ class: undefined, outputs: { other: [1] } }, value([[1]]))
  divergence.add({ class: undefined, outputs: { y: [[1]], more: [1] } }, value([[1]]))
  expect(divergence.counts).toEqual({ compared: 107, differing: 5 })
})

it('takes the size of the first values for their range, and compares texts and flags as they are', () => {
  const divergence = new AnswerDivergence()
  divergence.add(value(10.5), value(10))
  divergence.add(value(['a', true]), value(['a', true]))
  expect(divergence.counts).toEqual({ compared: 2, differing: 0 })
  divergence.add(value(12), value(10))
  divergence.add(value(['b', true]), value(['a', true]))
  divergence.add(value(0), value(0))
  expect(divergence.counts).toEqual({ compared: 5, differing: 2 })
})
