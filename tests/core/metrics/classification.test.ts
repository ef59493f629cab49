import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isInTop, TOP_K, topClass } from '../../../src/core/metrics/classification.ts'
import { summarizeClassification } from '../../../src/core/metrics/classification-summary.ts'
import { wilsonInterval } from '../../../src/core/statistics/proportion.ts'

interface Golden {
  classes: number
  labels: number[]
  scores: number[]
  predictions: number[]
  accuracy: number
  top5: number
  precision: number[]
  recall: number[]
  f1: number[]
  support: number[]
  f1Macro: number
  confusion: number[]
}
/** From scikit-learn; `make-statistics-goldens.py` beside the file says how. */
const goldens: Golden[] = JSON.parse(readFileSync(new URL('../fixtures/statistics-goldens.json', import.meta.url), 'utf8')).classification

describe('classification metrics', () => {
  it('equal scikit-learn, with classes that no sample has and none is predicted as', () => {
    for (const golden of goldens) {
      const scores = Float32Array.from(golden.scores)
      const labels = Int32Array.from(golden.labels)
      const predictions = labels.map((_, row) => topClass(scores, row, golden.classes))
      expect([...predictions]).toEqual(golden.predictions)
      const inTop5 = golden.labels.filter((label, row) => isInTop(scores, row, golden.classes, label, TOP_K)).length
      expect(inTop5 / labels.length).toBeCloseTo(golden.top5, 14)

      const found = summarizeClassification(labels, predictions, golden.classes)
      expect(found.accuracy).toBeCloseTo(golden.accuracy, 14)
      expect(found.f1Macro).toBeCloseTo(golden.f1Macro, 14)
      expect(found.perClass.map((entry) => entry.support)).toEqual(golden.support)
      for (const field of ['precision', 'recall', 'f1'] as const) {
        found.perClass.forEach((entry, index) => {
          expect(entry[field]).toBeCloseTo(golden[field][index] as number, 14)
        })
      }
      expect(found.confusion).toEqual(golden.confusion)
    }
  })

  it('rank equal scores by index and give no class to a row with NaN', () => {
    const scores = Float32Array.of(1, 3, 3, 0, Number.NaN, 9, 9, 9, Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0)
    expect([0, 1, 2].map((row) => topClass(scores, row, 4))).toEqual([1, -1, 0])
    expect([1, 2].map((label) => isInTop(scores, 0, 4, label, 1))).toEqual([true, false])
    expect(isInTop(scores, 1, 4, 1, 4)).toBe(false)
  })

  it('count an answer without class as wrong and in no column', () => {
    const [labels, predictions] = [Int32Array.of(0, 0, 1), Int32Array.of(0, -1, 1)]
    const found = summarizeClassification(labels, predictions, 2)
    expect(found).toMatchObject({ correct: 2, accuracy: 2 / 3, unanswered: 1, topConfusions: [] })
    expect(found.perClass[0]).toMatchObject({ support: 2, predicted: 1, recall: 0.5, precision: 1 })
    expect(found.confusion).toEqual([1, 0, 0, 1])
    expect(() => summarizeClassification(labels, new Int32Array(2), 2)).toThrow(RangeError)
    expect(() => summarizeClassification(new Int32Array(), new Int32Array(), 2)).toThrow(RangeError)
  })

  it('has the interval and the means over the classes that occur', () => {
    const [labels, predictions] = [Int32Array.of(0, 0, 0, 1), Int32Array.of(0, 0, 1, 1)]
    const found = summarizeClassification(labels, predictions, 5)
    expect(found.accuracyCi95).toEqual(wilsonInterval(3, 4))
    expect(found.precisionMacro).toBeCloseTo((1 + 1 / 2) / 2, 15)
    expect(found.recallMacro).toBeCloseTo((2 / 3 + 1) / 2, 15)
  })

  it('lists the most frequent mistakes, and no matrix where it would be too large to read', () => {
    const [labels, predictions]: [number[], number[]] = [[], []]
    const mistake = (label: number, predicted: number, count: number) => {
      for (let i = 0; i < count; i++) {
        labels.push(label)
        predictions.push(predicted)
      }
    }
    // 250 different mistakes, mistake i made i % 7 + 1 times.
    for (let i = 0; i < 250; i++) mistake(i, (i + 1) % 2000, (i % 7) + 1)
    const found = summarizeClassification(Int32Array.from(labels), Int32Array.from(predictions), 2000)
    const all = Array.from({ length: 250 }, (_, i) => ({ label: i, predicted: i + 1, count: (i % 7) + 1 }))
    expect(found.topConfusions).toEqual(all.sort((a, b) => b.count - a.count).slice(0, 100))
    expect(found.confusion).toBeNull()
    expect(found.perClass).toHaveLength(251)
    expect(summarizeClassification(Int32Array.of(0), Int32Array.of(0), 200).confusion).toHaveLength(40_000)
    expect(summarizeClassification(Int32Array.of(0), Int32Array.of(0), 201).confusion).toBeNull()
  })

  it('agrees with counts made one by one', () => {
    const pair = fc.tuple(fc.nat(4), fc.integer({ min: -1, max: 4 }))
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 60 }), (pairs) => {
        const found = summarizeClassification(
          Int32Array.from(pairs, ([label]) => label),
          Int32Array.from(pairs, ([, answer]) => answer),
          5,
        )
        expect(found.correct).toBe(pairs.filter(([label, answer]) => label === answer).length)
        expect(found.correct + found.unanswered + found.topConfusions.reduce((sum, { count }) => sum + count, 0)).toBe(pairs.length)
        for (const { label, predicted, count } of found.topConfusions) {
          expect(count).toBe(pairs.filter(([own, answer]) => own === label && answer === predicted).length)
          expect(found.confusion?.[label * 5 + predicted]).toBe(count)
        }
      }),
    )
  })

  it('top 1 of the ranking is the top class, top "all" everything', () => {
    const rows = fc.array(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 4, maxLength: 4 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(rows, (values) => {
        const scores = Float32Array.from(values.flat())
        values.forEach((_, row) => {
          const inTop = (k: number) => [0, 1, 2, 3].filter((label) => isInTop(scores, row, 4, label, k))
          expect(inTop(1)).toEqual([topClass(scores, row, 4)])
          expect(inTop(3)).toHaveLength(3)
          expect(inTop(4)).toHaveLength(4)
        })
      }),
    )
  })
})
