import type { ExportContext } from '../exporter.ts'
import type { ServedModel, ServedModelInfo } from '../served-model.ts'

type ServedShape = ServedModelInfo['outputs'][number]['shape']
/** A value that has a name. */
type ClientField = ServedModelInfo['inputs'][number]['fields'][number]

/** Longer examples hide the program around them. */
const MOST_EXAMPLE_TEXT = 2000

/** A port as people send or get it: one sample, without the batch. */
export interface ClientPort {
  readonly name: string
  /** Element type as ONNX calls it: float32, int64, string, bool … */
  readonly type: string
  /** Null where the model leaves a size open. */
  readonly shape: readonly (number | null)[]
}

/** `float32 [3, *]`: `*` where a size is open. */
export function portForm({ type, shape }: ClientPort): string {
  return `${type} [${shape.map((size) => size ?? '*').join(', ')}]`
}

/** What a generated client is made from. */
export interface ClientDescription {
  readonly service: string
  readonly modelName: string
  readonly modelSha256: string
  readonly inputs: readonly ClientPort[]
  /** Outputs that are always answered. */
  readonly outputs: readonly ClientPort[]
  readonly embedding: ClientPort | null
  readonly labels: readonly string[] | null
  /** Answers come with a class and its probability. */
  readonly isClassifier: boolean
  /** Values by name; empty where the service cannot be asked that way, because some value has no name. */
  readonly fields: readonly ClientField[]
  /** `POST /predict` takes image files. */
  readonly takesImages: boolean
  /** Samples of one batch request, at most. */
  readonly batchLimit: number
  /** A real request and its answer. */
  readonly example: ServedModel['example']
}

/** What a client must know of a served model. */
export function describeClient({ service, release, served }: Pick<ExportContext, 'service' | 'release' | 'served'>): ClientDescription {
  const { modelName, modelSha256, labels, accuracy, embedding, preprocessing } = release
  const { info, example } = served
  const sizes = (shape: ServedShape) => shape.map((size) => (typeof size === 'number' ? size : null))
  const inputs = info.inputs.map(({ name, type, sent_shape }) => ({ name, type, shape: sizes(sent_shape) }))
  const outputs = info.outputs.map(({ name, type, shape }) => ({
    name,
    type,
    shape: sizes(info.batching === 'single' ? shape : shape.slice(1)),
  }))
  const fields = info.inputs.flatMap((input) => input.fields)
  const values = inputs.reduce((sum, { shape }) => sum + shape.reduce<number>((product, size) => product * (size ?? Number.NaN), 1), 0)
  return {
    service,
    modelName,
    modelSha256,
    inputs,
    outputs: outputs.filter(({ name }) => name !== embedding),
    embedding: outputs.find(({ name }) => name === embedding) ?? null,
    labels,
    isClassifier: labels !== null || accuracy !== null,
    fields: fields.length === values ? fields : [],
    takesImages: preprocessing.image !== undefined && inputs.length === 1,
    batchLimit: info.limits.batch_samples,
    example,
  }
}

/** A name for a module, package or variable: lower-case words joined by `separator`, never empty, never starting with a digit. */
export function identifier(text: string, separator: '_' | '-'): string {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? ['model']
  const name = words.join(separator)
  return /^\d/.test(name) ? `m${separator}${name}` : name
}

/** Text from a stranger as part of a comment or docstring: one line, nothing that ends it. */
export function commentText(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/["\\`*/]/g, "'")
    .slice(0, 200)
}

/** An example's sample in the form that `predict` of a client takes; undefined where there is none of a size that anybody reads. */
export function exampleSample({ example, fields, inputs }: ClientDescription): unknown {
  const request = example?.request as { fields?: object; inputs?: Record<string, unknown>; preprocessed?: boolean } | undefined
  if (!request || request.preprocessed) return undefined
  if (fields.length > 0) return request.fields
  const [only] = inputs
  const sample = only && inputs.length === 1 ? request.inputs?.[only.name] : request.inputs
  return sample !== undefined && JSON.stringify(sample).length <= MOST_EXAMPLE_TEXT ? sample : undefined
}
