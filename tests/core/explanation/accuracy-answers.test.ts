import { describe, expect, it } from 'vitest'
import type { AccuracyContext, ComparedAnswers } from '../../../src/core/explanation/accuracy-context.ts'
import { classLosses } from '../../../src/core/explanation/class-losses.ts'
import { explainAccuracy } from '../../../src/core/explanation/explain-accuracy.ts'
import { makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import { Graph } from '../../../src/core/onnx/graph.ts'
import { seededRandom } from '../../../src/core/statistics/seeded-random.ts'

const empty = new Graph(
  makeModel({
    nodes: [makeNode('Identity', ['x'], ['y'])],
    inputs: [makeValueInfo('x', 'float32', [1])],
    outputs: [makeValueInfo('y', 'float32', [1])],
  }),
)

function explained(
  answers: ComparedAnswers,
  outputs: AccuracyContext['outputs'] = { writtenDb: null, runDb: null },
  layers: AccuracyContext['layers'] = [],
) {
  const model = { graph: empty, facts: new Map() }
  return explainAccuracy({ baseline: model, build: model, layers, outputs, answers })
}

/** Labels 0 … classes − 1 in turns; what the models answer is changed by the tests. */
function answersTo(samples: number, classes: number): ComparedAnswers {
  const labels = Int32Array.from({ length: samples }, (_, index) => index % classes)
  const { uniform } = seededRandom(4)
  return { classes, labels, baseline: labels.slice(), build: labels.slice(), margins: Float32Array.from(labels, () => 1 + uniform()) }
}

const rulesOf = ({ findings }: ReturnType<typeof explained>) => findings.map(({ rule }) => rule)

describe('explainAccuracy on answers', () => {
  it('says that no loss is shown, with its interval', () => {
    const answers = answersTo(1000, 10)
    answers.build[5] = 0
    const reasons = explained(answers)
    expect(rulesOf(reasons)).toEqual(['no-loss-shown'])
    expect(reasons.answers).toMatchObject({ samples: 1000, baselineAccuracy: 1, buildAccuracy: 0.999, changed: 1, pValue: 1 })
    expect(reasons.answers!.difference).toBeCloseTo(-0.001, 12)
    expect(reasons.advice).toBeNull()
  })

  it('suspects the preprocessing where both models are at chance, and says nothing else', () => {
    const answers = answersTo(500, 10)
    answers.baseline.fill(3)
    answers.build.fill(4)
    const reasons = explained(answers)
    expect(rulesOf(reasons)).toEqual(['both-at-chance'])
    expect(reasons.advice).toContain('--preprocess')
  })

  it('does not call a build at chance whose baseline is right', () => {
    const answers = answersTo(500, 10)
    answers.build.fill(4)
    expect(rulesOf(explained(answers))).not.toContain('both-at-chance')
  })

  it('compares with the most frequent class where classes are not balanced', () => {
    const labels = Int32Array.from({ length: 400 }, (_, index) => (index % 10 === 0 ? 1 : 0))
    const always = new Int32Array(400)
    const answers = { classes: 2, labels, baseline: always, build: always, margins: new Float32Array(400).fill(1) }
    expect(rulesOf(explained(answers))).toEqual(['both-at-chance'])
  })

  it('names the class that loses, corrected for the number of classes', () => {
    const answers = answersTo(1000, 10)
    // 30 of the 100 samples of class 7, and one of each other.
    for (let index = 7; index < 300; index += 10) answers.build[index] = 1
    for (let label = 0; label < 10; label++) answers.build[990 + label] = (label + 1) % 10
    const reasons = explained(answers)
    expect(rulesOf(reasons)).toEqual(['classes-lost'])
    expect(reasons.findings[0]!.classes).toEqual([7])
    expect(reasons.classes[0]).toMatchObject({ class: 7, support: 100, baselineRecall: 1, buildRecall: 0.69 })
    expect(reasons.classes).toHaveLength(10)
  })

  it('says that changed answers were close calls', () => {
    const answers = answersTo(1000, 10)
    for (let index = 0; index < 40; index++) {
      answers.margins[index * 25] = 0.001 * index
      answers.build[index * 25] = (answers.labels[index * 25]! + 1) % 10
    }
    expect(rulesOf(explained(answers))).toContain('near-ties')
    const far = { ...answers, margins: answers.margins.map((_, index) => index / 1000) }
    expect(rulesOf(explained(far))).not.toContain('near-ties')
  })

  it('does not speak of close calls where most answers changed', () => {
    const answers = answersTo(300, 3)
    answers.build.set(answers.labels.map((label) => (label + 1) % 3))
    expect(rulesOf(explained(answers))).not.toContain('near-ties')
  })

  it('tells products that saturate from rounding', () => {
    const layer = {
      layer: 'conv',
      op: 'Conv',
      precision: 'int8',
      nodes: [],
      main: undefined,
      buildNode: undefined,
      tensor: { tensor: 'c', writer: undefined, buildTensor: 'c', type: 'float32', grid: undefined },
      distance: { sqnrDb: 38, maxAbsDiff: 0.1, values: 10, min: 0, max: 1, notFinite: 0, clipped: 0, clippingShare: 0 },
      inputs: [],
      lostDb: null,
    }
    const answers = answersTo(1000, 10)
    for (let index = 0; index < 1000; index += 11) answers.build[index] = (answers.labels[index]! + 1) % 10
    const reasons = explained(answers, { writtenDb: 38, runDb: 12 }, [layer])
    expect(rulesOf(reasons)).toContain('products-saturate')
    expect(reasons.advice).toContain('--target x64')
    expect(rulesOf(explained(answers, { writtenDb: 13, runDb: 12 }, [layer]))).not.toContain('products-saturate')
  })
})

describe('classLosses', () => {
  it('leaves out classes that both answer alike', () => {
    const labels = Int32Array.of(0, 0, 1, 1, 2, 2)
    const baseline = Int32Array.of(0, 1, 1, 1, 2, 0)
    const build = Int32Array.of(0, 2, 1, 0, 2, 2)
    expect(classLosses({ labels, baseline, build })).toEqual([
      { class: 1, support: 2, baselineRecall: 1, buildRecall: 0.5, pValue: 1 },
      { class: 2, support: 2, baselineRecall: 0.5, buildRecall: 1, pValue: 1 },
    ])
  })
})
