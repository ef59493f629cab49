import type { DatasetSource, Preprocessing } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { type Answers, readAnswers, type Targets } from '../../core/datasets/answers.ts'
import { IDX_SCALE } from '../../core/datasets/idx.ts'
import { checkLabelCount, LABEL_NAMES } from '../../core/datasets/labels.ts'
import { answersArray, matchArrays } from '../../core/datasets/match-inputs.ts'
import { type NestedValues, nestedSample } from '../../core/datasets/nested-values.ts'
import { isFloat } from '../../core/datasets/numeric-array.ts'
import { isIdentity, stepsForAll } from '../../core/datasets/preprocess.ts'
import { bindSamples, type SampleSet } from '../../core/datasets/sample-set.ts'
import { matchTable, TABLE_ARRAY } from '../../core/datasets/table-columns.ts'
import type { Port } from '../../core/inference-runtime.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { type DatasetArrays, readDatasetArrays } from './dataset-arrays.ts'

/** A dataset bound to a model's inputs. Plain arrays stay on the disk and are read batch by batch; .npz and IDX files are in memory until it is let go. */
export interface OpenDataset extends SampleSet {
  /** Class index of each sample, `undefined` for a dataset without labels. Check them with `checkLabels` against the model's classes. */
  readonly labels: Int32Array | undefined
  /** Values to regress, `undefined` for a dataset without. */
  readonly targets: Targets | undefined
  /** What is really applied: the source's preprocessing, or the default of its format (IDX bytes: 1/255). */
  readonly preprocessing: Preprocessing
  /** Frees open files; nothing can be read afterwards. */
  close(): void
}

/**
 * Opens a dataset for a model: finds the array (or table column) of each input, checks element types, shapes and labels. Values are
 * checked to be finite and to fit once and whole where they are in memory, else batch by batch when they are read.
 *
 * @param inputs the model's inputs
 * @throws EdgesmithError or CoreError: what `readDatasetArrays`, `matchArrays`, `matchTable`, `bindSamples` and `readAnswers` throw
 *   (`DATASET_ARRAY_MISSING`, `DATASET_SHAPE`, `DATASET_TYPE`, `DATASET_EMPTY`, `DATASET_LABELS`, `DATASET_INVALID`)
 */
export async function openDataset(source: DatasetSource, inputs: readonly Port[]): Promise<OpenDataset> {
  return bindDataset(source, inputs, false)
}

/** The same with values as they are stored, in the shape that a service with this preprocessing takes. @throws as {@link openDataset} */
export async function openRawDataset(source: DatasetSource, inputs: readonly Port[]): Promise<OpenDataset> {
  return bindDataset(source, inputs, true)
}

/**
 * One sample as nested lists for JSON, by input name and without the batch dimension, and its label.
 *
 * @param index from 0 on
 * @param raw values as they are stored, in the shape that a service with this preprocessing takes
 * @throws as {@link openDataset}; `USAGE` for an index beyond the dataset
 */
export async function readSample(
  source: DatasetSource,
  inputs: readonly Port[],
  index: number,
  { raw = false }: { readonly raw?: boolean } = {},
): Promise<{ inputs: Record<string, NestedValues>; label: number | null }> {
  const dataset = await bindDataset(source, inputs, raw)
  try {
    if (!Number.isInteger(index) || index < 0 || index >= dataset.sampleCount) {
      throw new EdgesmithError(
        'USAGE',
        `${source.name} has no sample ${index}: it has ${dataset.sampleCount} (0 to ${dataset.sampleCount - 1}).`,
      )
    }
    const feeds = Object.entries(dataset.batch(index, 1))
    return {
      inputs: Object.fromEntries(feeds.map(([name, tensor]) => [name, nestedSample(tensor)])),
      label: dataset.labels?.[index] ?? null,
    }
  } finally {
    dataset.close()
  }
}

async function bindDataset(source: DatasetSource, inputs: readonly Port[], raw: boolean): Promise<OpenDataset> {
  const content = await readDatasetArrays(source)
  try {
    const { feeds, answers } = matched(source, content, inputs)
    const preprocessing = effectivePreprocessing(source, content, feeds)
    const steps = stepsForAll(inputs, preprocessing)
    const samples = bindSamples(
      feeds.map(({ input, array, columns }, index) => ({
        input,
        array: content.read(array),
        steps: steps[index] ?? {},
        raw,
        ...(columns && source.columns ? { table: { columns, described: source.columns } } : {}),
      })),
      source.name,
    )
    const { labels, targets }: Answers = answers === undefined ? {} : answersOf(content, answers, source)
    const count = labels?.length ?? (targets && targets.values.length / targets.width)
    if (count !== undefined && answers !== undefined) checkLabelCount(count, samples.sampleCount, answers, source.name)
    return { ...samples, labels, targets, preprocessing, close: () => content.close() }
  } catch (error) {
    content.close()
    throw error
  }
}

/** An input and what feeds it: an array, or columns of the table. */
interface Feed {
  readonly input: Port
  readonly array: string
  readonly columns?: 'all' | readonly number[]
}

function matched(
  source: DatasetSource,
  content: DatasetArrays,
  inputs: readonly Port[],
): { feeds: readonly Feed[]; answers: string | undefined } {
  if (source.columns && content.arrays.some(({ name }) => name === TABLE_ARRAY)) {
    const feeds = matchTable(source.columns, inputs, source.name).map((match) => ({ ...match, array: TABLE_ARRAY }))
    return { feeds, answers: answersArray(content.arrays, []) }
  }
  const { inputs: feeds, labels } = matchArrays(content.arrays, inputs, source.name)
  return { feeds, answers: labels }
}

function effectivePreprocessing(source: DatasetSource, content: DatasetArrays, feeds: readonly Feed[]): Preprocessing {
  if (source.format !== 'idx' || !isIdentity(source.preprocessing)) return source.preprocessing
  const bytes = feeds.every(({ input, array }) => isFloat(input.type) && content.read(array).type === 'uint8')
  return bytes ? { scale: IDX_SCALE } : source.preprocessing
}

/** In .npz and IDX files floating point labels that are whole numbers are classes; in plain arrays the name `targets` says what they are. */
function answersOf(content: DatasetArrays, name: string, source: DatasetSource): Answers {
  requireNumbers(content, name, source.name)
  return readAnswers(content.read(name), source.format !== 'arrays' || name === LABEL_NAMES[0], source.name)
}

function requireNumbers(content: DatasetArrays, name: string, dataset: string): void {
  const described = content.arrays.find((array) => array.name === name)
  if (!described || described.numeric) return
  throw new EdgesmithError(
    'DATASET_LABELS',
    `The labels of ${dataset} (array ${quoteName(name)}) hold ${described.type}, expected class indices.`,
    {
      hint: 'Number the classes from 0 on, in the order the model has them.',
    },
  )
}
