import { readFile } from 'node:fs/promises'
import type { EngineRequest, EngineResult } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { InferenceRuntime, LoadedModel } from '../../core/inference-runtime.ts'
import { openDataset, openRawDataset } from '../datasets/open-dataset.ts'
import { openOutputFeeds } from '../measure/output-feeds.ts'
import { makeDriftReference } from './drift-reference.ts'
import { goldenSamples, makeGoldenAnswers, mostSamplesRun } from './golden-answers.ts'
import { columnsByInput, namedFields } from './named-fields.ts'

type Request = Extract<EngineRequest, { command: 'serving-facts' }>
type Facts = EngineResult<'serving-facts'>

/**
 * What a release should know beside its model: golden answers, and from a dataset the reference of drift, and names and ranges of fields.
 * Without a dataset golden answers are given to made-up inputs.
 *
 * @throws EdgesmithError or CoreError `MODEL_LOAD_FAILED` and relatives, `DATASET_…` where the data does not fit the model, `MODEL_RUN_FAILED`;
 *   `BUILD_VERIFICATION_FAILED` for a model that answers the data with nothing but NaN or infinities
 */
export async function servingFacts(
  { modelPath, source, threads }: Request,
  runtime: InferenceRuntime,
  reporter: JobReporter,
): Promise<Facts> {
  const bytes = await readFile(modelPath)
  const model = await runtime.load(bytes, { intraOpThreads: threads })
  try {
    const { golden, note } = await goldenOf(model, bytes, source)
    const notes = note === null ? [] : [note]
    if (source === null) return { golden, driftReference: null, fields: [], notes }
    const byInput = columnsByInput(source, model.inputs)
    const dataset = await openDataset(source, model.inputs)
    try {
      const drift = await makeDriftReference(
        model,
        dataset,
        (input, index) => byInput.get(input)?.[index]?.name,
        (done, total) => reporter.progress({ phase: 'reference of drift', done, total, unit: 'samples' }),
      )
      if (drift.note !== null) notes.push(drift.note)
      return {
        golden,
        driftReference: drift.reference as Facts['driftReference'],
        fields: await fieldsOf(model, source, byInput, reporter),
        notes,
      }
    } finally {
      dataset.close()
    }
  } finally {
    await model.close()
  }
}

async function goldenOf(model: LoadedModel, bytes: Uint8Array, source: Request['source']) {
  try {
    const feeds = await openOutputFeeds(source, model.inputs, source === null ? goldenSamples : mostSamplesRun)
    try {
      return await makeGoldenAnswers(model, bytes, feeds, source !== null)
    } finally {
      feeds.close()
    }
  } catch (error) {
    // A model may refuse inputs that were only made up; with a dataset that is a fault to be told.
    if (source !== null) throw error
    const reason = error instanceof Error ? error.message : String(error)
    return { golden: null, note: `There are no golden answers: the model takes no made-up inputs (${reason}). Give a dataset.` }
  }
}

async function fieldsOf(
  model: LoadedModel,
  source: NonNullable<Request['source']>,
  byInput: ReturnType<typeof columnsByInput>,
  reporter: JobReporter,
): Promise<Facts['fields']> {
  if (byInput.size === 0) return []
  const raw = await openRawDataset(source, model.inputs)
  try {
    return namedFields(raw, byInput, (done, total) => reporter.progress({ phase: 'ranges of fields', done, total, unit: 'samples' }))
  } finally {
    raw.close()
  }
}
