import type { DriftReference, WatchedFeature } from '../../core/drift/feature-sketch.ts'
import { fewestReferenceRows, ReferenceSketcher } from '../../core/drift/reference-sketcher.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { LoadedModel, NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { topClass } from '../../core/metrics/classification.ts'
import { seededRandom } from '../../core/statistics/seeded-random.ts'
import type { OpenDataset } from '../datasets/open-dataset.ts'
import { findClassScores } from '../measure/classifier-output.ts'

/** Rows that are run through the model: the reference keeps 10,000 at most. */
const MOST_ROWS = 20_000
const BATCH_ROWS = 64
/** Inputs with more values (images, sequences) are not watched value by value: single pixels drift all the time and say nothing. */
const MOST_INPUT_VALUES = 256
/** Outputs with more values are watched by the predicted class alone. */
const MOST_OUTPUT_VALUES = 16

/** Names of the values of inputs, by input and place, where they have some. */
export type ValueNames = (input: string, index: number) => string | undefined

/** A watched number, and how it is read from the rows of a batch. */
interface Column extends WatchedFeature {
  read(feeds: NamedTensors, outputs: NamedTensors): (row: number) => number
}

/**
 * How the inputs of a model (after preprocessing) and its answers are distributed over a dataset.
 *
 * @returns null with the reason where there are too few samples or nothing that can be watched
 * @throws EdgesmithError or CoreError `MODEL_RUN_FAILED`, `DATASET_INVALID`
 */
export async function makeDriftReference(
  model: LoadedModel,
  dataset: OpenDataset,
  nameOf: ValueNames,
  progress: (done: number, total: number) => void,
): Promise<{ readonly reference: DriftReference | null; readonly note: string | null }> {
  const { sampleCount, fixedBatch: batch = BATCH_ROWS } = dataset
  if (sampleCount < fewestReferenceRows) {
    return { reference: null, note: `Drift is not watched: that takes ${fewestReferenceRows} samples, these are ${sampleCount}.` }
  }
  const rows = Math.min(sampleCount, MOST_ROWS)
  let sketcher: ReferenceSketcher | undefined
  let columns: readonly Column[] = []
  for (let first = 0; first < rows; first += batch) {
    const count = Math.min(batch, rows - first)
    // Spread over the dataset: its order may be that of its classes. The last batch is filled up with its last sample.
    const feeds = dataset.gather(
      Array.from({ length: batch }, (_, place) => Math.floor(((first + Math.min(place, count - 1)) * sampleCount) / rows)),
    )
    const outputs = await model.run(feeds)
    if (sketcher === undefined) {
      const order = model.outputs.map(({ name }) => name)
      columns = [...inputColumns(feeds, batch, nameOf), ...answerColumns(outputs, order, batch)]
      if (columns.length === 0) return { reference: null, note: 'Drift is not watched: inputs and outputs have too many values.' }
      sketcher = new ReferenceSketcher(columns, seededRandom(1))
    }
    const readers = columns.map((column) => column.read(feeds, outputs))
    for (let row = 0; row < count; row++) sketcher.add(readers.map((valueAt) => valueAt(row)))
    progress(first + count, rows)
  }
  return { reference: sketcher?.finish() ?? null, note: null }
}

function inputColumns(feeds: NamedTensors, batch: number, nameOf: ValueNames): Column[] {
  const watched = Object.entries(feeds).filter(([, { type, dims }]) => type !== 'string' && dims[0] === batch)
  if (watched.reduce((sum, [, tensor]) => sum + sizeOf(tensor), 0) > MOST_INPUT_VALUES) return []
  return watched.flatMap(([name, tensor]) => {
    const size = sizeOf(tensor)
    return Array.from(
      { length: size },
      (_, index): Column => ({
        name: nameOf(name, index) ?? (size === 1 ? name : `${name}[${index}]`),
        source: { kind: 'input', name, index },
        read: (given) => elementsOf(given[name] as RuntimeTensor, size, index),
      }),
    )
  })
}

/** The predicted class as the server finds it, and the values of small outputs. */
function answerColumns(outputs: NamedTensors, order: readonly string[], batch: number): Column[] {
  const scored = findClassScores(outputs, order, batch)
  const classes: Column[] = scored
    ? [
        {
          name: 'predicted class',
          source: { kind: 'class' },
          read: (_, given) => {
            const { scores } = findClassScores(given, [scored.output], batch) ?? scored
            return (row) => {
              const top = topClass(scores, row, scored.classes)
              return top < 0 ? Number.NaN : top
            }
          },
        },
      ]
    : []
  const others = order.flatMap((name) => {
    const tensor = outputs[name] as RuntimeTensor
    const size = sizeOf(tensor)
    if (tensor.type === 'string' || tensor.dims[0] !== batch || size > MOST_OUTPUT_VALUES) return []
    return Array.from(
      { length: size },
      (_, index): Column => ({
        name: size === 1 ? `output ${name}` : `output ${name}[${index}]`,
        source: { kind: 'output', name, index },
        read: (_, given) => elementsOf(given[name] as RuntimeTensor, size, index),
      }),
    )
  })
  return [...classes, ...others]
}

/** Values of one sample. */
function sizeOf({ dims }: RuntimeTensor): number {
  return dims.slice(1).reduce((product, dim) => product * dim, 1)
}

/** Reads the value at `index` of each row. */
function elementsOf({ type, values }: RuntimeTensor, size: number, index: number): (row: number) => number {
  const numbers = values as ArrayLike<number | bigint>
  return type === 'float16' ? (row) => halfToFloat(Number(numbers[row * size + index])) : (row) => Number(numbers[row * size + index])
}
