import { PREPROCESSING_KEY, parsePreprocessing } from '../../../../contract/carried-preprocessing.ts'
import type { Dataset, Preprocessing } from '../../../../contract/dataset.ts'
import type { Model } from '../../../../contract/model.ts'
import { plainText } from '../../../format/plain-text.ts'
import { preprocessingText } from '../../../text/preprocessing-text.ts'

/** Stand for "no preprocessing" and "what the build carries" in a select, whose values are strings. */
const AS_THEY_ARE = 'as-they-are'
const CARRIED = 'carried'
const UNCHANGED = 'Values reach the model as they were sent.'

/** Ways to prepare requests: what is offered, what is chosen, what it does, and what the service is told. */
export interface PreprocessingChoice {
  readonly options: readonly { readonly value: string; readonly label: string }[]
  readonly value: string
  readonly text: string
  /** Undefined for what the build carries. */
  readonly preprocessing: Preprocessing | undefined
}

/**
 * What a build was calibrated with is right; else that of the data the model was evaluated with more often than not.
 * @param chosen null for the suggestion
 * @param evaluatedWith dataset of the newest evaluation of the model
 */
export function preprocessingChoice(
  model: Pick<Model, 'report'> | undefined,
  datasets: readonly Pick<Dataset, 'id' | 'name' | 'preprocessing'>[],
  evaluatedWith: string | undefined,
  chosen: string | null,
): PreprocessingChoice {
  const carried = model?.report.metadata[PREPROCESSING_KEY]
  const options = [
    ...(carried === undefined ? [] : [{ value: CARRIED, label: 'As its calibration data was' }]),
    { value: AS_THEY_ARE, label: 'Not at all: clients send model inputs' },
    ...datasets.map(({ id, name }) => ({ value: id, label: `Like the dataset ${plainText(name, 60)}` })),
  ]
  const onlyOne = datasets.length === 1 ? datasets[0]?.id : undefined
  const suggested = carried === undefined ? (evaluatedWith ?? onlyOne ?? AS_THEY_ARE) : CARRIED
  const wanted = [chosen, suggested].find((value) => options.some((option) => option.value === value)) ?? AS_THEY_ARE
  if (wanted === CARRIED) return { options, value: CARRIED, text: carriedText(carried ?? ''), preprocessing: undefined }
  const dataset = datasets.find(({ id }) => id === wanted)
  return {
    options,
    value: wanted,
    text: dataset ? preprocessingText(dataset.preprocessing) : UNCHANGED,
    preprocessing: dataset?.preprocessing ?? {},
  }
}

/** What a build carries, in words; it may come from anybody. */
function carriedText(text: string): string {
  const preprocessing = parsePreprocessing(text)
  if (!preprocessing) return 'What the model carries cannot be read.'
  return Object.keys(preprocessing).length === 0 ? UNCHANGED : preprocessingText(preprocessing)
}
