import { hash as hashOnce } from 'node:crypto'
import type { ArrayStatistics, DatasetReport, DatasetSource } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import { readAnswers, type Targets } from '../../core/datasets/answers.ts'
import { StatisticsSum, statisticsAxis } from '../../core/datasets/array-statistics.ts'
import { checkPiece } from '../../core/datasets/convert.ts'
import { differenceHash } from '../../core/datasets/difference-hash.ts'
import { countRepeated, type SampleHashes } from '../../core/datasets/equal-samples.ts'
import { checkLabelCount, countClasses, LABEL_NAMES } from '../../core/datasets/labels.ts'
import { type ArrayDescription, answersArray } from '../../core/datasets/match-inputs.ts'
import {
  countOf,
  type Elements,
  elementWidth,
  isFloat,
  type NumericType,
  readElements,
  type SampleArray,
  toNumber,
} from '../../core/datasets/numeric-array.ts'
import { brightnessOf, type PictureLayout, pictureLayout, shownRange } from '../../core/datasets/sample-picture.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { evenHistogram } from '../../core/statistics/even-histogram.ts'
import { type DatasetArrays, readDatasetArrays } from './dataset-arrays.ts'
import { sampleCountOf } from './sample-count.ts'

/** What {@link describeDataset} gives. */
export interface DescribedDataset {
  readonly report: DatasetReport
  /** Of each sample; see {@link SampleHashes}. */
  readonly hashes: SampleHashes
}

/** Samples looked at together, in bytes; at least one. */
const BLOCK_BYTES = 1 << 23

/**
 * Reads a dataset once, whole, without a model: which arrays it has, how many samples, which classes or targets, statistics, hashes. Every value is checked to be
 * finite, every label to be a class index. Memory: one block of samples, 16 bytes for each sample, and its label or targets.
 *
 * @param known hashes of the samples, where they were made before
 * @throws EdgesmithError or CoreError: `DATASET_INVALID`, `DATASET_EMPTY`, `DATASET_LABELS`, `TOO_LARGE`, and those of reading a file
 */
export async function describeDataset(source: DatasetSource, reporter: JobReporter, known?: SampleHashes): Promise<DescribedDataset> {
  const content = await readDatasetArrays(source)
  try {
    const answers = answersArray(content.arrays, [])
    const samples = sampleCountOf(content, answers, source.name)
    const { labels, targets } = answersOf(content, answers, samples, source)
    // An array without values says nothing, and has no statistics.
    const filled = sampleArrays(content.arrays, answers, samples).filter(({ shape }) => countOf(shape) > 0)
    if (filled.length === 0) throw new EdgesmithError('DATASET_EMPTY', `The samples of ${source.name} hold no values.`)
    const arrays = filled.map(({ name }) => content.read(name))
    const hashes = known ?? new Uint32Array(4 * samples)
    const scans = arrays.map((array) => new ArrayScan(array, source))
    const picture = scans.findIndex(({ layout }) => layout !== undefined)
    const perSample = arrays.reduce((sum, { type, shape }) => sum + countOf(shape.slice(1)) * elementWidth(type), 0)
    const step = Math.max(1, Math.floor(BLOCK_BYTES / Math.max(1, perSample)))
    for (let from = 0; from < samples; from += step) {
      reporter.progress({ phase: 'checking the samples', done: from, total: samples, unit: 'samples' })
      const count = Math.min(step, samples - from)
      const blocks = scans.map((scan) => scan.read(from, count))
      if (known) continue
      hashBlock(hashes, from, count, blocks)
      if (picture >= 0) scans[picture]?.hashPictures(hashes, from, count, blocks[picture] as Elements)
    }
    reporter.progress({ phase: 'checking the samples', done: samples, total: samples, unit: 'samples' })
    const report: DatasetReport = {
      samples,
      arrays: content.arrays.map(({ name, type, shape }) => ({ name, type, shape: [...shape] })),
      labelled: labels !== undefined,
      classCounts: labels ? countClasses(labels, source.name) : null,
      sizeBytes: content.arrays.reduce(
        (sum, { type, shape, numeric }) => sum + (numeric ? countOf(shape) * elementWidth(type as NumericType) : 0),
        0,
      ),
      targets: targets ? targetFacts(targets) : null,
      statistics: scans.map((scan) => scan.statistics()),
      duplicates: countRepeated(hashes),
      notes: [],
    }
    return { report, hashes }
  } finally {
    content.close()
  }
}

/** Arrays that hold one entry a sample, the answers not among them. */
export function sampleArrays(arrays: readonly ArrayDescription[], answers: string | undefined, samples: number): ArrayDescription[] {
  return arrays.filter(({ name, numeric, shape }) => name !== answers && numeric && shape.length > 0 && shape[0] === samples)
}

/** Class labels or values to regress of a dataset. @throws EdgesmithError or CoreError `DATASET_LABELS`, `DATASET_INVALID`, `TOO_LARGE` */
export function answersOf(
  content: DatasetArrays,
  name: string | undefined,
  samples: number,
  source: DatasetSource,
): { labels?: Int32Array; targets?: Targets } {
  if (name === undefined) return {}
  const described = content.arrays.find((array) => array.name === name)
  if (described && !described.numeric) {
    throw new EdgesmithError(
      'DATASET_LABELS',
      `The labels of ${source.name} (array ${quoteName(name)}) hold ${described.type}, expected class indices.`,
      {
        hint: 'Number the classes from 0 on, in the order the model has them.',
      },
    )
  }
  checkLabelCount(described?.shape[0] ?? 0, samples, name, source.name)
  return readAnswers(content.read(name), source.format !== 'arrays' || name === LABEL_NAMES[0], source.name)
}

/** Checks an array and gathers its statistics, block by block. */
class ArrayScan {
  readonly layout: PictureLayout | undefined
  private readonly array: SampleArray
  private readonly where: string
  private readonly perSample: number
  private readonly axis: number | null
  private readonly sum: StatisticsSum

  constructor(array: SampleArray, { name, preprocessing }: DatasetSource) {
    const stored = preprocessing.image ? 'channels-last' : preprocessing.stored
    this.array = array
    this.where = `Array ${quoteName(array.name)} of ${name}`
    this.perSample = countOf(array.shape.slice(1))
    this.layout = pictureLayout(array.type, array.shape, stored)
    this.axis = statisticsAxis(array.shape, stored)
    this.sum = new StatisticsSum(array.type, array.shape, this.axis)
  }

  read(from: number, count: number): Elements {
    const { array, perSample } = this
    const elements = readElements(array, from * perSample, count * perSample)
    if (isFloat(array.type)) {
      checkPiece(elements, array.type, array.type, this.where, (index) => ({
        sample: from + Math.floor(index / perSample),
        element: index % perSample,
      }))
    }
    this.sum.add(elements)
    return elements
  }

  hashPictures(hashes: SampleHashes, from: number, count: number, elements: Elements): void {
    const { layout, array, perSample } = this
    if (!layout) return
    for (let sample = 0; sample < count; sample++) {
      const values = numbersOf(array.type, elements.subarray(sample * perSample, (sample + 1) * perSample))
      const { black, white } = shownRange(values, array.type === 'uint8')
      hashes.set(differenceHash(brightnessOf(values, layout), layout.width, layout.height, white - black), 4 * (from + sample) + 2)
    }
  }

  statistics(): ArrayStatistics {
    return { array: this.array.name, axis: this.axis, ...this.sum.result() }
  }
}

/** Stored elements as numbers. */
export function numbersOf(type: NumericType, elements: Elements): ArrayLike<number> {
  if (type !== 'float16' && !(elements instanceof BigInt64Array) && !(elements instanceof BigUint64Array)) return elements
  return Float64Array.from(elements as ArrayLike<number | bigint>, (element) => toNumber(type, element))
}

/** The first 64 bits of the SHA-256 of each sample, over its arrays in order. */
function hashBlock(hashes: SampleHashes, from: number, count: number, blocks: readonly Elements[]): void {
  const bytes = blocks.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength))
  const [only] = bytes
  for (let sample = 0; sample < count; sample++) {
    const parts = bytes.map((block) => block.subarray((sample * block.length) / count, ((sample + 1) * block.length) / count))
    const content = bytes.length === 1 && only ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    const digest = hashOnce('sha256', content, 'buffer')
    hashes[4 * (from + sample)] = digest.readUInt32LE(0)
    hashes[4 * (from + sample) + 1] = digest.readUInt32LE(4)
  }
}

/** Enough to see the shape, few enough to be drawn wide. */
const TARGET_BINS = 40

function targetFacts({ width, values }: Targets): NonNullable<DatasetReport['targets']> {
  const sum = new StatisticsSum('float32', [values.length], null)
  sum.add(values)
  const { mean, std, min, max } = sum.result()
  const range = { min: min[0] as number, max: max[0] as number }
  return { width, mean: mean[0] as number, std: std[0] as number, ...range, histogram: evenHistogram(values, range, TARGET_BINS) }
}
