import { carriedPreprocessing } from '../../contract/carried-preprocessing.ts'
import type { Preprocessing } from '../../contract/dataset.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { ReleaseFile, ServiceField } from '../../contract/service.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import type { Services } from '../services.ts'
import { datasetSource } from '../use-cases/dataset-source.ts'

/** What is decided about a release; everything that is left out is found out. */
export interface ReleaseChoices {
  readonly preprocessing?: Preprocessing | undefined
  /** Samples for golden answers, the reference of drift, and names and ranges of fields. */
  readonly datasetId?: string | undefined
  readonly fields?: readonly ServiceField[] | undefined
  readonly embedding?: string | undefined
  readonly threads?: number | undefined
  readonly workers?: number | undefined
  /** Whose measurements are told; null for a machine that is not known. */
  readonly deviceId: string | null
}

/** A release but for the place of its model, and what is missing in it and why. */
export interface ComposedRelease {
  readonly release: Omit<ReleaseFile, 'modelPath'>
  readonly notes: readonly string[]
}

/**
 * Everything a server must know to serve a model: preprocessing (given, or carried by the build), labels, what was measured, golden answers,
 * reference of drift, fields. The same for deploying and for exports.
 *
 * @throws EdgesmithError `NOT_FOUND` (dataset), `USAGE` (embedding that is no output), `DATASET_…` and `MODEL_…` of the engine, `JOB_CANCELLED`
 */
export async function composeRelease(
  services: Services,
  model: Model,
  choices: ReleaseChoices,
  context: JobContext,
): Promise<ComposedRelease> {
  const { embedding = null, threads = 1, workers = null, deviceId } = choices
  requireOutput(model, embedding)
  const preprocessing = choices.preprocessing ?? carriedPreprocessing(model.report.metadata) ?? {}
  const { blobs, datasets, layout, measurements } = services
  const dataset = choices.datasetId === undefined ? null : datasets.get(choices.datasetId)
  const source = dataset && { ...datasetSource(dataset, (sha256) => blobs.path(sha256)), preprocessing }
  const facts = await runEngine(
    { command: 'serving-facts', modelPath: blobs.path(model.sha256), source, threads },
    { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
  )
  const labels = model.report.labels ?? dataset?.classNames ?? null
  const evaluated = measurements.evaluations(model.id)
  const accuracy = (evaluated.find((evaluation) => evaluation.deviceId === deviceId) ?? evaluated[0])?.metrics.accuracy ?? null
  const benchmark = deviceId === null ? undefined : measurements.benchmarks(model.id).find((measured) => measured.deviceId === deviceId)
  return {
    release: {
      modelName: model.name,
      modelSha256: model.sha256,
      preprocessing,
      labels,
      accuracy,
      latencyP50Ms: benchmark?.latencyMs.p50 ?? null,
      threads,
      workers,
      fields: [...(choices.fields ?? facts.fields)],
      embedding,
      golden: facts.golden,
      driftReference: watchable(facts.driftReference, { embedding, namesClasses: labels !== null || accuracy !== null }),
    },
    notes: facts.notes,
  }
}

function requireOutput({ report, name }: Model, embedding: string | null): void {
  const outputs = report.outputs.map((output) => output.name)
  if (embedding === null || outputs.includes(embedding)) return
  throw new EdgesmithError('USAGE', `"${embedding}" is no output of ${name}`, { hint: `Its outputs are: ${outputs.join(', ')}.` })
}

type Reference = NonNullable<ReleaseFile['driftReference']>

/** Without what the server will not say of a prediction: the class of a model not known as a classifier, values of the embedding. */
function watchable(
  reference: Reference | null,
  { embedding, namesClasses }: { readonly embedding: string | null; readonly namesClasses: boolean },
): Reference | null {
  const features = reference?.features.filter(
    ({ source }) => (source.kind !== 'class' || namesClasses) && (source.kind !== 'output' || source.name !== embedding),
  )
  return reference && features && features.length > 0 ? { ...reference, features } : null
}
