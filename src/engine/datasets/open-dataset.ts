import type { DatasetReport, DatasetSource, Preprocessing } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { checkElements } from '../../core/datasets/convert.ts'

import { checkLabelCount, countClasses, LABEL_NAMES, readLabels } from '../../core/datasets/labels.ts'
import { type ArrayDescription, type ArrayMatch, matchArrays } from '../../core/datasets/match-inputs.ts'
import { type NestedValues, nestedSample } from '../../core/datasets/nested-values.ts'
import { countOf, elementWidth, isFloat, type NumericType } from '../../core/datasets/numeric-array.ts'
import { isIdentity } from '../../core/datasets/preprocess.ts'
import { bindSamples, type SampleSet, stepsFor } from '../../core/datasets/sample-set.ts'
import type { Port } from '../../core/inference-runtime.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { type DatasetArrays, readDatasetArrays } from './dataset-arrays.ts'

/** A dataset bound to a model's inputs. Values stay in memory until it is let go. */
export interface OpenDataset extends SampleSet {
  /** Class index of each sample, `undefined` for a dataset without labels. Check them with `checkLabels` against the model's classes. */
  readonly labels: Int32Array | undefined
  /** What is really applied: the source's preprocessing, or the default of its format (IDX bytes: 1/255). */
  readonly preprocessing: Preprocessing
}

/** IDX images are bytes from 0 to 255 and mean 0 to 1. */
const IDX_SCALE = 1 / 255

/**
 * Opens a dataset for a model: finds the array of each input, checks element types, shapes, finite values and labels, once and whole.
 *
 * @param inputs the model's inputs
 * @throws EdgesmithError or CoreError: what `readDatasetArrays`, `matchArrays`, `bindSamples` and `readLabels` throw
 *   (`DATASET_ARRAY_MISSING`, `DATASET_SHAPE`, `DATASET_TYPE`, `DATASET_EMPTY`, `DATASET_LABELS`, `DATASET_INVALID`)
 */
export async function openDataset(source: DatasetSource, inputs: readonly Port[]): Promise<OpenDataset> {
  const { samples, labels, preprocessing } = await bindDataset(source, inputs, false)
  return { ...samples, labels, preprocessing }
}

/**
 * One sample as nested lists for JSON, by input name and without the batch dimension, and its label.
 *
 * @param index from 0 on
 * @param raw values as they are stored, in the shape of the model's inputs: for a service that does the preprocessing itself
 * @throws as {@link openDataset}; `USAGE` for an index beyond the dataset
 */
export async function readSample(
  source: DatasetSource,
  inputs: readonly Port[],
  index: number,
  { raw = false }: { readonly raw?: boolean } = {},
): Promise<{ inputs: Record<string, NestedValues>; label: number | null }> {
  const { samples, labels } = await bindDataset(source, inputs, raw)
  if (!Number.isInteger(index) || index < 0 || index >= samples.sampleCount) {
    throw new EdgesmithError(
      'USAGE',
      `${source.name} has no sample ${index}: it has ${samples.sampleCount} (0 to ${samples.sampleCount - 1}).`,
    )
  }
  const feeds = Object.entries(samples.batch(index, 1))
  return { inputs: Object.fromEntries(feeds.map(([name, tensor]) => [name, nestedSample(tensor)])), label: labels?.[index] ?? null }
}

async function bindDataset(source: DatasetSource, inputs: readonly Port[], raw: boolean) {
  const content = await readDatasetArrays(source)
  const match = matchArrays(content.arrays, inputs, source.name)
  const preprocessing = effectivePreprocessing(source, content, match)
  const pairings = match.inputs.map(({ input, array: name }) => {
    const array = content.read(name)
    if (raw) return { input: { ...input, type: array.type }, array, steps: {} }
    return { input, array, steps: stepsFor(input, preprocessing, inputs.length) }
  })
  const samples = bindSamples(pairings, source.name)
  const labels = match.labels === undefined ? undefined : labelsOf(content, match.labels, source.name)
  if (labels && match.labels !== undefined) checkLabelCount(labels.length, samples.sampleCount, match.labels, source.name)
  return { samples, labels, preprocessing }
}

function effectivePreprocessing(source: DatasetSource, content: DatasetArrays, match: ArrayMatch): Preprocessing {
  if (source.format !== 'idx' || !isIdentity(source.preprocessing)) return source.preprocessing
  const bytes = match.inputs.every(({ input, array }) => isFloat(input.type) && content.read(array).type === 'uint8')
  return bytes ? { scale: IDX_SCALE } : source.preprocessing
}

/**
 * Reads a dataset once, whole, without a model: which arrays it has, how many samples, which classes. Every value is checked to be finite,
 * every label to be a class index.
 *
 * @throws EdgesmithError or CoreError: `DATASET_INVALID`, `DATASET_EMPTY`, `DATASET_LABELS`, `TOO_LARGE`, and those of reading a file
 */
export async function describeDataset(source: DatasetSource): Promise<DatasetReport> {
  const content = await readDatasetArrays(source)
  const labelArray = content.arrays.find(
    ({ name }) => name === LABEL_NAMES.find((label) => content.arrays.some((array) => array.name === label)),
  )
  const candidates = content.arrays.filter((array) => array !== labelArray && array.numeric && array.shape.length > 0)
  const samples = sampleCountOf(candidates, labelArray, source.name)
  for (const { name, shape } of candidates) {
    if (shape[0] !== samples) continue
    const array = content.read(name)
    checkElements(array, array.type, `Array ${quoteName(name)} of ${source.name}`)
  }
  const labels = labelArray && labelsOf(content, labelArray.name, source.name)
  if (labels && labelArray) checkLabelCount(labels.length, samples, labelArray.name, source.name)
  return {
    samples,
    arrays: content.arrays.map(({ name, type, shape }) => ({ name, type, shape: [...shape] })),
    labelled: labels !== undefined,
    classCounts: labels ? countClasses(labels, source.name) : null,
    sizeBytes: content.sizeBytes,
  }
}

/** Entries of the arrays that go with the labels, else of the largest array (the others may be means, class names …). */
function sampleCountOf(candidates: readonly ArrayDescription[], labels: ArrayDescription | undefined, dataset: string): number {
  const bytes = ({ type, shape }: ArrayDescription) => countOf(shape) * elementWidth(type as NumericType)
  const largest = [...candidates].sort((a, b) => bytes(b) - bytes(a))[0]
  if (!largest) {
    throw new EdgesmithError('DATASET_EMPTY', `${dataset} has no array of samples.`, {
      hint: 'Save the samples as an array named like the model’s input, the samples along the first axis.',
    })
  }
  const withLabels = candidates.find(({ shape }) => labels && shape[0] === labels.shape[0])
  const samples = (withLabels ?? largest).shape[0] as number
  if (samples === 0) throw new EdgesmithError('DATASET_EMPTY', `${dataset} holds no sample.`)
  return samples
}

function labelsOf(content: DatasetArrays, name: string, dataset: string): Int32Array {
  const described = content.arrays.find((array) => array.name === name)
  if (described && !described.numeric) {
    throw new EdgesmithError(
      'DATASET_LABELS',
      `The labels of ${dataset} (array ${quoteName(name)}) hold ${described.type}, expected class indices.`,
      {
        hint: 'Number the classes from 0 on, in the order the model has them.',
      },
    )
  }
  return readLabels(content.read(name), dataset)
}
