import { parseJson } from '../core/parse-json.ts'
import { type Preprocessing, preprocessingSchema } from './dataset.ts'
import { EdgesmithError } from './errors.ts'

/** Metadata key under which a build says what its inputs are made of: a `Preprocessing` as JSON. */
export const PREPROCESSING_KEY = 'edgesmith.preprocessing'

/**
 * The preprocessing that a model carries; `undefined` when it carries none.
 * @param metadata as in a model's report
 * @throws EdgesmithError `MODEL_INVALID` for a description that cannot be read
 */
export function carriedPreprocessing(metadata: Readonly<Record<string, string>>): Preprocessing | undefined {
  const text = Object.hasOwn(metadata, PREPROCESSING_KEY) ? metadata[PREPROCESSING_KEY] : undefined
  if (text === undefined) return undefined
  const parsed = parsePreprocessing(text)
  if (parsed) return parsed
  throw new EdgesmithError('MODEL_INVALID', `The model's metadata entry ${PREPROCESSING_KEY} is no preprocessing description.`, {
    hint: 'Give the preprocessing yourself; {} stands for none.',
  })
}

/**
 * Why evaluating a model on data may mislead: it carries another preprocessing than the data has. Null when it carries the same or none.
 * `dtype` does not count, because it is checked against the model.
 */
export function preprocessingWarning(
  metadata: Readonly<Record<string, string>>,
  dataset: string,
  preprocessing: Preprocessing,
): string | null {
  const text = Object.hasOwn(metadata, PREPROCESSING_KEY) ? metadata[PREPROCESSING_KEY] : undefined
  if (text === undefined) return null
  const carried = parsePreprocessing(text)
  if (!carried) return `The model's metadata entry ${PREPROCESSING_KEY} cannot be read; ${dataset} is evaluated with its own preprocessing.`
  const [own, given] = [comparable(carried), comparable(preprocessing)]
  if (own === given) return null
  return `The model was made for inputs preprocessed with ${shortened(own)}, but ${dataset} has ${shortened(given)}: the numbers are of the latter.`
}

/** A description from JSON; `undefined` for text that is none. */
export function parsePreprocessing(text: string): Preprocessing | undefined {
  return preprocessingSchema.safeParse(parseJson(text)).data
}

/** The same text for descriptions that do the same: fields in one order, those that do nothing left out. */
function comparable({ image, stored, layout, reverseChannels, scale = 1, mean = [0], std = [1] }: Preprocessing): string {
  const from = image ? 'channels-last' : stored
  const fields = {
    image,
    ...(from !== undefined && (reverseChannels || (layout !== undefined && layout !== from)) ? { stored: from } : {}),
    ...(reverseChannels ? { reverseChannels } : {}),
    ...(scale === 1 ? {} : { scale }),
    ...(mean.every((value) => value === 0) ? {} : { mean }),
    ...(std.every((value) => value === 1) ? {} : { std }),
    ...(from !== undefined && layout !== undefined && layout !== from ? { layout } : {}),
  }
  return JSON.stringify(fields)
}

/** Characters of a description in a log: per-feature lists are long. */
const SHOWN = 400

function shortened(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
