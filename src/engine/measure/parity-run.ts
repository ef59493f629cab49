import { EdgesmithError } from '../../contract/errors.ts'
import type { Metrics, ParityDetail } from '../../contract/evaluation.ts'
import type { ClassAnswers } from '../../core/metrics/class-answers.ts'
import { LIMIT_DB } from '../../core/metrics/fidelity.ts'
import { OutputParity, type OutputValues } from '../../core/metrics/output-parity.ts'
import { quoteName, quoteNames } from '../../core/onnx/quote-name.ts'
import { wilsonInterval } from '../../core/statistics/proportion.ts'
import { type AnswerOutput, collectAnswers } from './classification-run.ts'
import { classesOf } from './classifier-output.ts'
import type { OutputBatch, SampleOutput } from './sample-outputs.ts'

/** What a comparison of outputs found. */
interface ParityFound {
  readonly metrics: Metrics
  readonly detail: ParityDetail
  /**
   * float32 `sampleSqnrDb` (300 when identical), `sampleMaxAbsDiff`, `sampleCosine` of the worst output of each sample; int32 `predictions`
   * and `baselinePredictions` where an output holds class scores.
   */
  readonly perSample: Readonly<Record<string, Float32Array | Int32Array>>
  /** Values that are not finite where the baseline's are. */
  readonly brokenValues: number
}

/** An output of the model beside that of the baseline. */
interface OutputPair {
  readonly name: string
  readonly type: string
  /** Places in the lists of outputs. */
  readonly own: number
  readonly other: number
  readonly parity: OutputParity
  /** Counts for the sample figures and the metrics: floats, or all when there are none. A class number is no signal with noise. */
  readonly counts: boolean
  /** Of class scores: answers of the baseline and of the model. */
  readonly answers: readonly [ClassAnswers, ClassAnswers] | undefined
}

/** A comparison of a model's outputs with a baseline's in progress: a few numbers a sample in memory. */
export class ParityRun {
  private readonly pairs: readonly OutputPair[]
  private readonly decibels: Float32Array
  private readonly largest: Float32Array
  private readonly cosines: Float32Array

  /**
   * @param baseline outputs of a first batch; `build` the same of the model
   * @param answer output whose answers are compared; `null` when the outputs are known to be no class scores, `undefined` when they are to be
   *   told by their shape
   * @throws EdgesmithError `EVALUATION_IMPOSSIBLE` when the two have no output of numbers in common
   */
  constructor(samples: number, baseline: readonly SampleOutput[], build: readonly SampleOutput[], answer: AnswerOutput | null | undefined) {
    this.pairs = pairOutputs(samples, baseline, build, answer)
    this.decibels = new Float32Array(samples).fill(LIMIT_DB)
    this.largest = new Float32Array(samples)
    this.cosines = new Float32Array(samples).fill(1)
  }

  /** @throws EdgesmithError `EVALUATION_IMPOSSIBLE` when an output has another number of values than the baseline's */
  add(baseline: OutputBatch, build: OutputBatch): void {
    for (const pair of this.pairs) {
      const [reference, actual] = [baseline.outputs[pair.other]!, build.outputs[pair.own]!]
      const [expected, found] = [reference.values as OutputValues, actual.values as OutputValues]
      if (expected.length !== found.length || Boolean(reference.sampleDims) !== Boolean(actual.sampleDims)) {
        throw differentSize(pair.name, reference, actual)
      }
      pair.answers?.[0].add(build.first, build.count, expected)
      pair.answers?.[1].add(build.first, build.count, found)
      if (!actual.sampleDims) {
        pair.parity.add(expected, found)
        continue
      }
      const { perSample } = actual
      for (let row = 0; row < build.count; row++) {
        const [from, to] = [row * perSample, (row + 1) * perSample]
        const sample = pair.parity.add(expected.subarray(from, to), found.subarray(from, to))
        if (pair.counts) this.include(build.first + row, sample)
      }
    }
  }

  private include(index: number, { sqnrDb, cosine, maxAbsDiff }: ReturnType<OutputParity['add']>): void {
    this.decibels[index] = Math.min(this.decibels[index]!, sqnrDb)
    this.cosines[index] = Math.min(this.cosines[index]!, cosine)
    this.largest[index] = Math.max(this.largest[index]!, maxAbsDiff)
  }

  finish(): ParityFound {
    const results = this.pairs.map(({ name, type, parity, counts, answers }) => {
      const [before, after] = answers?.map((entry) => entry.finish().predictions) ?? []
      const same = before && after && agreeing(before, after)
      return { name, type, counts, before, after, same, result: parity.result() }
    })
    const counting = results.filter(({ counts }) => counts).map(({ result }) => result)
    const scored = results.find(({ same }) => same !== undefined)
    const samples = this.decibels.length
    const decibels = counting.flatMap(({ sqnrDb }) => (sqnrDb === null ? [] : [sqnrDb]))
    return {
      metrics: {
        sqnrDb: decibels.length === 0 ? null : Math.min(...decibels),
        cosine: Math.min(...counting.map(({ cosine }) => cosine)),
        maxAbsDiff: Math.max(...counting.map(({ maxAbsDiff }) => maxAbsDiff)),
        agreement: scored?.same === undefined ? null : scored.same / samples,
        agreementCi95: scored?.same === undefined ? null : wilsonInterval(scored.same, samples),
      },
      detail: {
        baselineModelId: null,
        outputs: results.map(({ name, type, result, same }) => ({
          name,
          type,
          ...result,
          agreement: same === undefined ? null : same / samples,
        })),
      },
      perSample: {
        ...(scored?.before && scored.after && { predictions: scored.after, baselinePredictions: scored.before }),
        sampleSqnrDb: this.decibels,
        sampleMaxAbsDiff: this.largest,
        sampleCosine: this.cosines,
      },
      brokenValues: this.pairs.reduce((sum, { parity }) => sum + parity.brokenValues, 0),
    }
  }
}

/** Samples both give the same class. Two answers without a class do not agree. */
function agreeing(before: Int32Array, after: Int32Array): number {
  let same = 0
  for (let i = 0; i < before.length; i++) if (before[i] === after[i] && before[i]! >= 0) same++
  return same
}

/** Outputs are the same by name; where no name is common and there are equally many, by place. */
function pairOutputs(
  samples: number,
  baseline: readonly SampleOutput[],
  build: readonly SampleOutput[],
  answer: AnswerOutput | null | undefined,
): OutputPair[] {
  const byName = build.map(({ name }, own) => ({ own, other: baseline.findIndex((output) => output.name === name) }))
  const common = byName.filter(({ other }) => other >= 0)
  const byPlace = build.length === baseline.length ? build.map((_, place) => ({ own: place, other: place })) : []
  const pairs = (common.length > 0 ? common : byPlace).filter(({ own, other }) => build[own]?.values && baseline[other]?.values)
  if (pairs.length === 0) {
    const [has, wants] = [build, baseline].map((outputs) => quoteNames(outputs.map(({ name }) => name)))
    throw new EdgesmithError(
      'EVALUATION_IMPOSSIBLE',
      `The model (outputs ${has}) and its baseline (${wants}) have no output of numbers in common.`,
      {
        hint: 'Compare a build with the model it was made from.',
      },
    )
  }
  const isFloat = (index: number) => build[index]!.type.includes('float')
  const anyFloat = pairs.some(({ own }) => isFloat(own))
  return pairs.map(({ own, other }) => {
    const { name, type } = build[own]!
    const scored = answerOf(build[own]!, answer)
    return {
      name,
      type,
      own,
      other,
      parity: new OutputParity(),
      counts: !anyFloat || isFloat(own),
      answers: scored && [collectAnswers(samples, scored), collectAnswers(samples, scored)],
    }
  })
}

function answerOf({ name, type, sampleDims }: SampleOutput, answer: AnswerOutput | null | undefined): AnswerOutput | undefined {
  if (answer !== undefined) return answer?.name === name ? answer : undefined
  const classes = type.includes('float') && sampleDims ? classesOf(sampleDims) : undefined
  return classes === undefined ? undefined : { name, classes }
}

function differentSize(name: string, reference: SampleOutput, actual: SampleOutput): EdgesmithError {
  const show = ({ type, dims }: SampleOutput) => `${type}[${dims.join(',')}]`
  return new EdgesmithError(
    'EVALUATION_IMPOSSIBLE',
    `Output ${quoteName(name)} of the model is ${show(actual)}, that of the baseline ${show(reference)}: they cannot be compared value by value.`,
    { hint: 'Compare a build with the model it was made from.', details: { output: name, expected: reference.dims, found: actual.dims } },
  )
}
