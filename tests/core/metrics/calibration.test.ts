import { describe, expect, it } from 'vitest'
import { Reliability } from '../../../src/core/metrics/calibration.ts'
import { scoredAnswers, singleScoreAnswers } from '../../../src/core/metrics/class-answers.ts'
import { summarizeClassification } from '../../../src/core/metrics/classification-summary.ts'
import { metricGoldens } from './metric-goldens.ts'

describe('calibration', () => {
  it('of scores that are no probabilities equals netcal on their softmax, and macro means equal scikit-learn', () => {
    for (const golden of metricGoldens.calibration) {
      const labels = Int32Array.from(golden.labels)
      const answers = scoredAnswers(labels.length, golden.classes)
      answers.add(0, labels.length, Float32Array.from(golden.scores))
      const { predictions, confidence, scores } = answers.finish()
      expect(scores).toBe('logits')
      confidence.forEach((value, i) => {
        expect(value).toBeCloseTo(golden.confidence[i] as number, 12)
      })
      const reliability = new Reliability()
      confidence.forEach((value, i) => {
        reliability.add(value, predictions[i] === labels[i])
      })
      expect(reliability.expectedError()).toBeCloseTo(golden.ece, 12)
      expect(reliability.bins()).toHaveLength(15)
      const summary = summarizeClassification(labels, predictions, golden.classes)
      expect(summary.precisionMacro).toBeCloseTo(golden.precisionMacro, 14)
      expect(summary.recallMacro).toBeCloseTo(golden.recallMacro, 14)
    }
  })

  // The worked example of Pavlovic, "Expected Calibration Error (ECE): A Step-by-Step Visual Explanation with Python Code", 2023: 0.10444.
  it('gives a published example with its five bins', () => {
    const reliability = new Reliability(5)
    const samples: [number, number, number][] = [
      [0.78, 0, 0],
      [0.64, 1, 1],
      [0.92, 1, 0],
      [0.58, 0, 0],
      [0.51, 1, 0],
      [0.85, 0, 0],
      [0.7, 1, 1],
      [0.63, 0, 1],
      [0.83, 1, 1],
    ]
    for (const [confidence, answer, label] of samples) reliability.add(confidence, answer === label)
    expect(reliability.expectedError()).toBeCloseTo(0.10444, 5)
    expect(reliability.bins().map(({ count }) => count)).toEqual([0, 0, 2, 4, 3])
  })

  it('puts a confidence on an edge into the bin below, and has nothing to say without samples', () => {
    const reliability = new Reliability(4)
    expect(reliability.expectedError()).toBeNull()
    for (const confidence of [0, 0.25, 0.5, 0.75, 1]) reliability.add(confidence, true)
    expect(reliability.bins()).toEqual([
      { from: 0, to: 0.25, count: 2, confidence: 0.125, accuracy: 1 },
      { from: 0.25, to: 0.5, count: 1, confidence: 0.5, accuracy: 1 },
      { from: 0.5, to: 0.75, count: 1, confidence: 0.75, accuracy: 1 },
      { from: 0.75, to: 1, count: 1, confidence: 1, accuracy: 1 },
    ])
  })
})

describe('answers', () => {
  const answer = (values: number[], classes: number) => {
    const answers = scoredAnswers(values.length / classes, classes)
    answers.add(0, values.length / classes, Float32Array.from(values))
    return answers.finish()
  }

  it('take probabilities as they are, also rounded ones, and the softmax of everything else', () => {
    // An 8-bit softmax is off by a step of 1/128 here and there.
    const rounded = answer([0.5, 0.25, 0.2578125, 0.125, 0.8671875, 0], 3)
    expect(rounded).toMatchObject({ scores: 'probabilities', confidence: Float64Array.of(0.5, 0.8671875) })
    expect(answer([0.9, 0.9, 0.1, 0.8, 0.8, 0.1], 3).scores).toBe('logits')
    expect(answer([0.9, -0.1, 0.2, 0.8, 0.1, 0.1], 3).scores).toBe('logits')
    const logits = answer([2, 0, 0, 0, 5, 0], 3)
    expect(logits.confidence[0]).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 2), 12)
    expect([...logits.predictions]).toEqual([0, 1])
  })

  it('have no confidence without an answer, and survive infinite scores', () => {
    const found = answer([Number.NaN, 1, Number.POSITIVE_INFINITY, 0, 1000, -1000], 2)
    expect([...found.predictions]).toEqual([-1, 0, 0])
    expect([...found.confidence]).toEqual([Number.NaN, 1, 1])
  })

  it('of a single score are a threshold at ½ for probabilities and at 0 for logits', () => {
    const single = (values: number[]) => {
      const answers = singleScoreAnswers(values.length)
      values.forEach((value, i) => {
        answers.add(i, 1, Float32Array.of(value))
      })
      return answers.finish()
    }
    const probabilities = single([0.25, 0.5, 0.75, Number.NaN])
    expect([...probabilities.predictions]).toEqual([0, 0, 1, -1])
    expect([...probabilities.confidence]).toEqual([0.75, 0.5, 0.75, Number.NaN])
    const logits = single([-2, 0, 0.25, 3])
    expect(logits.scores).toBe('logits')
    expect([...logits.predictions]).toEqual([0, 0, 1, 1])
    expect(logits.confidence[3]).toBeCloseTo(1 / (1 + Math.exp(-3)), 12)
  })
})
