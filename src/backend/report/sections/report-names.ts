import type { ReportDocument, ReportedModel, SampleSummary } from '../../../contract/report.ts'

/** Names and other entries of a document by their ids. */
export interface ReportNames {
  readonly model: (id: string | null) => string
  readonly device: (id: string) => string
  readonly className: (datasetId: string | null, index: number) => string
  readonly models: ReadonlyMap<string, ReportedModel>
  readonly samples: ReadonlyMap<string, SampleSummary>
}

/** Looks names up in a document; what is no longer there is called by the beginning of its id. */
export function reportNames(document: ReportDocument): ReportNames {
  const models = new Map(document.models.map((model) => [model.id, model]))
  // A removed model still has its name in the comparisons and matrices it was part of.
  const compared = new Map(document.comparisons.flatMap(({ rows }) => rows.map(({ modelId, model }) => [modelId, model] as const)))
  for (const { id, name } of document.matrices.flatMap(({ models: own }) => own)) compared.set(id, name)
  for (const { modelId, model } of document.validations) compared.set(modelId, model)
  const devices = new Map([
    ...document.validations.map(({ deviceId, device }) => [deviceId, device] as const),
    ...document.matrices.flatMap(({ devices: own }) => own.map(({ id, name }) => [id, name] as const)),
    ...document.comparisons.map(({ deviceId, device }) => [deviceId, device] as const),
    ...document.devices.map(({ id, name }) => [id, name] as const),
  ])
  const classes = new Map(document.datasets.map(({ id, classNames }) => [id, classNames]))
  return {
    model: (id) => (id === null ? 'none' : (models.get(id)?.name ?? compared.get(id) ?? `model ${id.slice(0, 8)}`)),
    device: (id) => devices.get(id) ?? `device ${id.slice(0, 8)}`,
    className: (datasetId, index) => {
      const name = datasetId === null ? undefined : classes.get(datasetId)?.[index]
      return name === undefined ? `class ${index}` : `${index} ${name}`
    },
    models,
    samples: new Map(document.samples.map((summary) => [summary.benchmarkId, summary])),
  }
}
