import { CoreError } from '../core-error.ts'
import type { RuntimeTensor } from '../inference-runtime.ts'
import { quoteName } from '../onnx/quote-name.ts'
import { checkElements, checkPiece, checkTypes, checkWhole, isNumericType, needsCheck, outside, toIntegers } from './convert.ts'
import { arrayText, type Elements, isFloat, type NumericType } from './numeric-array.ts'
import { preparerFor, worksInDouble } from './prepare-samples.ts'
import { hasArithmetic } from './preprocess.ts'
import { planSample, type SamplePlan } from './sample-plan.ts'
import type { Pairing } from './sample-set.ts'
import type { TableColumn } from './table-columns.ts'

/** An input with what makes its tensor of stored rows. */
export interface BoundInput {
  /** The rows are only looked at: other inputs may get the same ones. */
  readonly sharesRows: boolean
  /**
   * @param rows stored elements of `count` samples; used up unless {@link sharesRows}
   * @param sampleOf number of the sample in a row, for messages
   */
  tensor(rows: Elements, count: number, sampleOf: (row: number) => number): RuntimeTensor
}

/**
 * Checks an array against the input it feeds.
 * @param constant the input takes one number, the same for all samples
 * @param dataset how messages call the dataset
 * @throws CoreError `DATASET_SHAPE`, `DATASET_TYPE`, `DATASET_EMPTY`, `DATASET_INVALID`
 */
export function bindInput(pairing: Pairing, constant: boolean, dataset: string): BoundInput {
  const { array, table, input } = pairing
  const where = `Array ${quoteName(array.name)} of ${dataset}`
  const sample = constant ? [] : array.shape.slice(1)
  if (!table) return bindNumbers(pairing, { sample, type: array.type, constant, where, inMemory: 'bytes' in array })
  const chosen = table.columns === 'all' ? table.described.map((_, index) => index) : table.columns
  if (array.type !== 'float32' || array.shape.length !== 2 || array.shape[1] !== table.described.length) {
    throw new CoreError(
      'DATASET_INVALID',
      `${where} is ${arrayText(array.type, array.shape)}, expected float32[N,${table.described.length}]: a column of numbers for each column described.`,
      {
        hint: 'Import the dataset again.',
      },
    )
  }
  if (input.type === 'string') return bindTexts(pairing, chosen, table.described, where)
  if (table.columns === 'all' && isFloat(input.type)) {
    return bindNumbers(pairing, { sample, type: array.type, constant, where, inMemory: 'bytes' in array })
  }
  return bindColumns(pairing, chosen, table.described, dataset)
}

/** The numbers that feed an input. */
interface StoredNumbers {
  /** Dimensions of one sample. */
  readonly sample: readonly number[]
  readonly type: NumericType
  readonly constant: boolean
  readonly where: string
  /** They can be checked at once; else they are when they are read. */
  readonly inMemory: boolean
}

function bindNumbers(pairing: Pairing, { sample, type, constant, where, inMemory }: StoredNumbers): BoundInput {
  const { array, steps, raw = false } = pairing
  const plan = plannedFor(pairing, sample, where)
  if (raw) return { sharesRows: false, tensor: (rows, count) => ({ type, dims: constant ? [] : [count, ...plan.stored], values: rows }) }
  checkTypes({ type }, pairing.input, steps, where)
  const target = plan.target as NumericType
  // Values that are computed with need only fit the type that is done in.
  const limit = plan.arithmetic && !worksInDouble(target) ? 'float32' : plan.arithmetic ? 'float64' : target
  if (inMemory) checkElements(array, limit, where)
  const checksRead = !inMemory && needsCheck(type, limit)
  const prepare = preparerFor(plan, type)
  return {
    sharesRows: false,
    tensor: (rows, count, sampleOf) => {
      const perSample = Math.max(1, plan.perSample)
      const placeOf = (index: number) => ({ sample: sampleOf(Math.floor(index / perSample)), element: index % perSample })
      if (checksRead) checkPiece(rows, type, limit, where, placeOf)
      const values = prepare(rows, count, (index) => {
        throw new CoreError(
          'DATASET_TYPE',
          `${where}: a value of sample ${placeOf(index).sample} is too large for ${target} after preprocessing.`,
          {
            hint: 'Check scale, mean and std of the preprocessing.',
            details: { sample: placeOf(index).sample, expected: target },
          },
        )
      })
      return { type: target, dims: constant ? [] : [count, ...plan.dims], values }
    },
  }
}

function plannedFor({ input, array, steps }: Pairing, sample: readonly number[], where: string): SamplePlan {
  // A port without dimensions is a scalar, or an input whose rank the model does not say: the runtime decides.
  const wanted = input.shape.length === 0 ? undefined : input.shape.slice(1)
  const plan = planSample(sample, { name: input.name, type: input.type, sample: wanted }, steps, where)
  if (plan.perSample === 0) throw new CoreError('DATASET_EMPTY', `${where} has samples without values (shape [${array.shape.join(',')}]).`)
  return plan
}

/** Columns of a table as numbers: one for an input of its own, or all for a matrix of whole numbers. */
function bindColumns(pairing: Pairing, chosen: readonly number[], described: readonly TableColumn[], dataset: string): BoundInput {
  const { input, array, raw = false } = pairing
  const where =
    chosen.length === 1
      ? `Column ${quoteName(described[chosen[0] as number]?.name ?? '')} of ${dataset}`
      : `Array ${quoteName(array.name)} of ${dataset}`
  const sample = chosen.length === 1 ? [] : [chosen.length]
  const take = (rows: Elements, count: number) => takeColumns(rows as Float32Array, count, described.length, chosen)
  if (isFloat(input.type)) {
    const { tensor } = bindNumbers(pairing, { sample, type: 'float32', constant: false, where, inMemory: false })
    return { sharesRows: true, tensor: (rows, count, sampleOf) => tensor(take(rows, count), count, sampleOf) }
  }
  if (!isNumericType(input.type) || hasArithmetic(pairing.steps)) checkTypes({ type: 'float32' }, input, pairing.steps, where)
  const target = input.type as NumericType
  const plan = plannedFor(pairing, sample, where)
  return {
    sharesRows: true,
    tensor: (rows, count, sampleOf) => {
      const values = take(rows, count)
      checkWhole(values, target, where, (index) => sampleOf(Math.floor(index / chosen.length)))
      const dims = [count, ...(raw ? plan.stored : plan.dims)]
      return { type: target, dims, values: toIntegers(values, target) }
    },
  }
}

function takeColumns(rows: Float32Array, count: number, width: number, chosen: readonly number[]): Float32Array {
  const values = new Float32Array(count * chosen.length)
  for (let row = 0, at = 0; row < count; row++) {
    for (const column of chosen) values[at++] = rows[row * width + column] as number
  }
  return values
}

/** Category columns as their texts, for an input of strings. */
function bindTexts(pairing: Pairing, chosen: readonly number[], described: readonly TableColumn[], where: string): BoundInput {
  const { input, steps, raw = false } = pairing
  if (hasArithmetic(steps)) {
    throw new CoreError(
      'DATASET_TYPE',
      `The preprocessing computes with numbers, but model input ${quoteName(input.name)} takes strings.`,
      {
        hint: 'Leave scale, mean and std out.',
      },
    )
  }
  const number = chosen.find((column) => described[column]?.kind !== 'category')
  if (number !== undefined) {
    throw new CoreError(
      'DATASET_TYPE',
      `Column ${quoteName(described[number]?.name ?? '')} of ${where} holds numbers, but model input ${quoteName(input.name)} takes strings.`,
      { hint: 'Only columns of categories are kept as text.', details: { expected: 'string', found: 'number' } },
    )
  }
  const plan = plannedFor(pairing, chosen.length === 1 ? [] : [chosen.length], where)
  return {
    sharesRows: true,
    tensor: (rows, count, sampleOf) => {
      const codes = takeColumns(rows as Float32Array, count, described.length, chosen)
      const values = Array.from(codes, (code, index) => {
        const text = described[chosen[index % chosen.length] as number]?.categories?.[code]
        if (text === undefined) throw outside(where, code, sampleOf(Math.floor(index / chosen.length)), 'the categories of its column')
        return text
      })
      return { type: 'string', dims: [count, ...(raw ? plan.stored : plan.dims)], values }
    },
  }
}
