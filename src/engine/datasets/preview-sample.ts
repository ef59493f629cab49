import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatasetSource, Picture, PreparedSample, Preprocessing } from '../../contract/dataset.ts'
import type { EngineRequest } from '../../contract/engine-protocol.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import { CoreError } from '../../core/core-error.ts'
import { answersArray } from '../../core/datasets/match-inputs.ts'
import { countOf, type NumericArray, readElements } from '../../core/datasets/numeric-array.ts'
import { isIdentity } from '../../core/datasets/preprocess.ts'
import { pictureLayout, shownRange, toPicture } from '../../core/datasets/sample-picture.ts'
import { writeNpy } from '../../core/datasets/write-npz.ts'
import { halfToFloat } from '../../core/float16.ts'
import type { InferenceRuntime, NamedTensors, Port, RuntimeTensor } from '../../core/inference-runtime.ts'
import { loadPorts } from '../models/load-ports.ts'
import { readDatasetArrays } from './dataset-arrays.ts'
import { numbersOf, sampleArrays } from './describe-dataset.ts'
import { openOriginals } from './import/originals.ts'
import { openDataset } from './open-dataset.ts'
import { rowsOf } from './rows-of.ts'
import { sampleCountOf } from './sample-count.ts'

type PreviewRequest = Extract<EngineRequest, { command: 'preview-sample' }>

/** Side of the pictures in pixels, at most. */
const SIDE = 512
const FIRST_VALUES = 16

/**
 * What a preprocessing description makes of one sample, by the code that evaluation uses; what does not fit is told, not thrown.
 * @throws EdgesmithError or CoreError `USAGE` for a sample that is not there, and those of reading dataset and model
 */
export async function previewSample(request: PreviewRequest, runtime: InferenceRuntime | null): Promise<PreparedSample> {
  const { source, index, modelPath } = request
  const { arrays, original, problems } = await readStored(source, index, request.preprocessing)
  const ports = modelPath === null || runtime === null ? undefined : await loadPorts(modelPath, runtime)
  if (problems.length > 0) return { original, prepared: null, inputs: [], problems }
  const prepared = await feedsOf(arrays, source, request.preprocessing, ports)
  if (Array.isArray(prepared)) return { original, prepared: null, inputs: [], problems: prepared }
  return {
    original,
    prepared: preparedPicture(prepared, request.preprocessing),
    inputs: Object.entries(prepared).map(([name, tensor]) => describeTensor(name, tensor)),
    problems: [],
  }
}

interface StoredSample {
  /** One sample each; arrays that are the same for all samples whole. */
  readonly arrays: readonly NumericArray[]
  readonly original: Picture | null
  readonly problems: PreparedSample['problems']
}

async function readStored(source: DatasetSource, index: number, preprocessing: Preprocessing): Promise<StoredSample> {
  const content = await readDatasetArrays(source)
  try {
    const answers = answersArray(content.arrays, [])
    const samples = sampleCountOf(content, answers, source.name)
    if (index >= samples)
      throw new EdgesmithError('USAGE', `${source.name} has no sample ${index}: it has ${samples} (0 to ${samples - 1}).`)
    const perSample = new Set(sampleArrays(content.arrays, answers, samples).map(({ name }) => name))
    const arrays = content.arrays
      .filter(({ name, numeric }) => name !== answers && numeric)
      .map(({ name }): NumericArray => {
        const array = content.read(name)
        const sampled = perSample.has(name)
        const size = countOf(sampled ? array.shape.slice(1) : array.shape)
        const elements = readElements(array, sampled ? index * size : 0, size)
        const shape = sampled ? [1, ...array.shape.slice(1)] : array.shape
        return { name, type: array.type, shape, bytes: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength) }
      })
    const archive = source.files.find(({ role }) => role === 'originals')?.path
    if (archive === undefined) return { arrays, original: storedPicture(arrays, preprocessing), problems: [] }
    return await withImageFile(arrays, archive, rowsOf(source)?.[index] ?? index, source, preprocessing)
  } finally {
    content.close()
  }
}

/** The image file of the sample, and its pixels made again where the description says so. */
async function withImageFile(
  arrays: readonly NumericArray[],
  archive: string,
  row: number,
  source: DatasetSource,
  preprocessing: Preprocessing,
): Promise<StoredSample> {
  // Loaded on demand: it takes longer than all of a preview without it.
  const { imagePixels, imageThumbnail } = await import('../images/image-file.ts')
  const originals = openOriginals(archive, source.name)
  try {
    const { name, bytes } = originals.read(row)
    const original = await imageThumbnail(bytes, SIDE, name)
    const steps = preprocessing.image ?? source.preprocessing.image
    if (!steps) return { arrays, original, problems: [] }
    const pixels = await imagePixels(bytes, steps, name)
    const shape = [1, steps.height, steps.width, steps.colour === 'grey' ? 1 : 3]
    return { arrays: arrays.map((array) => (array.name === 'images' ? { ...array, shape, bytes: pixels } : array)), original, problems: [] }
  } catch (error) {
    return { arrays, original: null, problems: [problemOf(error)] }
  } finally {
    originals.close()
  }
}

/** The model's inputs, or why there are none. Without a model every array feeds an input of its own. */
async function feedsOf(
  arrays: readonly NumericArray[],
  source: DatasetSource,
  preprocessing: Preprocessing,
  ports: readonly Port[] | undefined,
): Promise<NamedTensors | PreparedSample['problems']> {
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-preview-'))
  try {
    const files: DatasetSource['files'] = []
    for (const [at, array] of arrays.entries()) {
      const path = join(folder, String(at))
      await writeFile(path, writeNpy(array))
      files.push({ role: 'array', name: array.name, path })
    }
    const one: DatasetSource = {
      format: 'arrays',
      name: source.name,
      files,
      preprocessing: withImage(preprocessing, source),
      ...(source.columns && { columns: source.columns }),
    }
    const dataset = await openDataset(
      one,
      ports ?? arrays.filter(({ shape }) => shape[0] === 1).map((array) => freeInput(array, preprocessing)),
    )
    try {
      return dataset.batch(0, dataset.fixedBatch === undefined ? 1 : Math.min(1, dataset.fixedBatch))
    } finally {
      dataset.close()
    }
  } catch (error) {
    return [problemOf(error)]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function withImage(preprocessing: Preprocessing, source: DatasetSource): Preprocessing {
  return source.preprocessing.image && !preprocessing.image ? { ...preprocessing, image: source.preprocessing.image } : preprocessing
}

/** An input that takes the array whatever its shape. */
function freeInput({ name, type }: NumericArray, preprocessing: Preprocessing): Port {
  const { image: _image, ...steps } = preprocessing
  return { name, type: steps.dtype ?? (isIdentity(steps) ? type : 'float32'), shape: [] }
}

function problemOf(error: unknown): PreparedSample['problems'][number] {
  if (!(error instanceof CoreError) && !(error instanceof EdgesmithError)) throw error
  const { code, message, hint } = toErrorReport(error)
  return { code, message, hint: hint ?? null }
}

function storedPicture(arrays: readonly NumericArray[], preprocessing: Preprocessing): Picture | null {
  for (const array of arrays) {
    const layout = pictureLayout(array.type, array.shape, preprocessing.stored)
    if (!layout || array.shape[0] !== 1) continue
    const values = numbersOf(array.type, readElements(array, 0, countOf(array.shape)))
    return toPicture(values, layout, shownRange(values, array.type === 'uint8'), SIDE)
  }
  return null
}

/** The first input that is a picture, its values spread over black to white. */
function preparedPicture(feeds: NamedTensors, { layout: wanted }: Preprocessing): Picture | null {
  for (const tensor of Object.values(feeds)) {
    const layout = pictureLayout('float32', tensor.dims, wanted)
    const values = valuesOf(tensor)
    if (!layout || !values) continue
    let [black, white] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (let index = 0; index < values.length; index++) {
      black = Math.min(black, values[index] as number)
      white = Math.max(white, values[index] as number)
    }
    return toPicture(values, layout, { black, white }, SIDE)
  }
  return null
}

function describeTensor(name: string, tensor: RuntimeTensor): PreparedSample['inputs'][number] {
  const { type, dims } = tensor
  const values = valuesOf(tensor) ?? []
  let [min, max, sum] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
  }
  const empty = values.length === 0
  return {
    name,
    type,
    shape: [...dims],
    min: empty ? 0 : min,
    max: empty ? 0 : max,
    mean: empty ? 0 : sum / values.length,
    first: Array.from({ length: Math.min(FIRST_VALUES, values.length) }, (_, index) => values[index] as number),
  }
}

/** Values as numbers; undefined for text. */
function valuesOf({ type, values }: RuntimeTensor): ArrayLike<number> | undefined {
  if (type === 'string') return undefined
  if (type === 'float16') return Float32Array.from(values as Uint16Array, halfToFloat)
  return Float64Array.from(values as ArrayLike<number | bigint>, Number)
}
