import { LIMIT_DB } from './fidelity.ts'

/** Per-sample values of an evaluation, by name (the contract's `evaluateResultSchema` lists them). */
export type PerSample = Readonly<Record<string, Float32Array | Int32Array>>

/** Which samples to list, and how many. */
export interface WorstSamplesRequest {
  readonly task: 'classification' | 'regression' | 'parity'
  readonly samples: number
  readonly perSample: PerSample
  /** Another evaluation of the same samples, whose answers stand beside. */
  readonly beside: PerSample | undefined
  /** Of a classification: wrong ones, or those where the two evaluations part. The last three need answers to compare with. */
  readonly only: 'wrong' | 'newly-wrong' | 'newly-right' | 'different'
  /** Only samples of this true class. */
  readonly class: number | undefined
  readonly limit: number
}

/** A sample that deserves a look. The shape of the contract's `worstSampleSchema`. */
export interface WorstSample {
  readonly index: number
  readonly expected: number | null
  readonly answer: number | null
  readonly baselineAnswer: number | null
  readonly confidence: number | null
  readonly error: number | null
}

/** The worst of them first, and how many there are in all. */
export interface WorstSamples {
  readonly total: number
  readonly samples: WorstSample[]
}

/**
 * Lists the samples that deserve a look. Classification: by confidence, the surest first. Regression: by the largest absolute error of
 * the sample's values. Parity: lowest signal to noise first, identical ones left out. Equal ones in the order of the dataset.
 * Answers of the baseline come from `beside`, else from the evaluation itself where it was made against a baseline.
 *
 * @throws RangeError when the evaluation lacks the arrays of its task, or `only` asks for a comparison and there is none
 */
export function worstSamples(request: WorstSamplesRequest): WorstSamples {
  switch (request.task) {
    case 'classification':
      return misclassified(request)
    case 'regression':
      return largestErrors(request)
    case 'parity':
      return furthestFromBaseline(request)
  }
}

function misclassified(request: WorstSamplesRequest): WorstSamples {
  const { perSample, only, samples } = request
  const [labels, answers] = [needed(perSample, 'labels'), needed(perSample, 'predictions')]
  const others = request.beside?.predictions ?? perSample.baselinePredictions
  if (only !== 'wrong' && !others) throw new RangeError(`${only} needs another evaluation to compare with`)
  const confidence = perSample.confidence
  const isListed = (index: number): boolean => {
    if (request.class !== undefined && labels[index] !== request.class) return false
    const [right, otherRight] = [answers[index] === labels[index], others?.[index] === labels[index]]
    if (only === 'wrong') return !right
    if (only === 'newly-wrong') return !right && otherRight
    if (only === 'newly-right') return right && !otherRight
    return answers[index] !== others?.[index]
  }
  // An answer without confidence (scores that are not numbers) is the least usable of all.
  const badness = (index: number) => finite(confidence?.[index]) ?? Number.POSITIVE_INFINITY
  const describe = (index: number): WorstSample => ({
    index,
    expected: labels[index] ?? null,
    answer: classOf(answers[index]),
    baselineAnswer: classOf(others?.[index]),
    confidence: finite(confidence?.[index]),
    error: null,
  })
  return worstOf(samples, isListed, badness, request.limit, describe)
}

function largestErrors({ perSample, samples, limit, beside }: WorstSamplesRequest): WorstSamples {
  const [actual, predicted] = [needed(perSample, 'actual'), needed(perSample, 'predicted')]
  const width = actual.length / samples
  /** Where the largest error of a sample stands. */
  const placeOf = (index: number): number => {
    let worst = index * width
    for (let i = worst; i < (index + 1) * width; i++) {
      if (Math.abs(predicted[i]! - actual[i]!) > Math.abs(predicted[worst]! - actual[worst]!)) worst = i
    }
    return worst
  }
  const errorOf = (index: number): number => Math.abs(predicted[placeOf(index)]! - actual[placeOf(index)]!)
  const describe = (index: number): WorstSample => {
    const place = placeOf(index)
    return {
      index,
      expected: actual[place] ?? null,
      answer: predicted[place] ?? null,
      baselineAnswer: finite(beside?.predicted?.[place]),
      confidence: null,
      error: errorOf(index),
    }
  }
  return worstOf(samples, () => true, errorOf, limit, describe)
}

function furthestFromBaseline({ perSample, samples, limit }: WorstSamplesRequest): WorstSamples {
  const decibels = needed(perSample, 'sampleSqnrDb')
  const describe = (index: number): WorstSample => ({
    index,
    expected: null,
    answer: classOf(perSample.predictions?.[index]),
    baselineAnswer: classOf(perSample.baselinePredictions?.[index]),
    confidence: null,
    error: decibels[index] ?? null,
  })
  return worstOf(
    samples,
    (index) => decibels[index]! < LIMIT_DB,
    (index) => -decibels[index]!,
    limit,
    describe,
  )
}

/** The `limit` listed samples of greatest badness, kept sorted while passing over all: memory for the list alone. */
function worstOf(
  samples: number,
  isListed: (index: number) => boolean,
  badness: (index: number) => number,
  limit: number,
  describe: (index: number) => WorstSample,
): WorstSamples {
  const kept: { readonly index: number; readonly badness: number }[] = []
  let total = 0
  for (let index = 0; index < samples; index++) {
    if (!isListed(index)) continue
    total++
    const own = badness(index)
    if (kept.length === limit && own <= (kept.at(-1)?.badness ?? 0)) continue
    let place = kept.length
    while (place > 0 && kept[place - 1]!.badness < own) place--
    kept.splice(place, 0, { index, badness: own })
    if (kept.length > limit) kept.pop()
  }
  return { total, samples: kept.map(({ index }) => describe(index)) }
}

function needed(perSample: PerSample, name: string): Float32Array | Int32Array {
  const values = perSample[name]
  if (!values) throw new RangeError(`the evaluation has no ${name}`)
  return values
}

function classOf(prediction: number | undefined): number | null {
  return prediction === undefined || prediction < 0 ? null : prediction
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}
