import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { HttpError } from './http-error.ts'
import type { InputFields } from './input-fields.ts'
import type { ModelSignature } from './model-signature.ts'
import { FloatBlock, plainSample } from './plain-sample.ts'
import { describe, readSample } from './sample-reader.ts'

/** One sample as the model takes it, each input without its batch dimension. */
export type Sample = NamedTensors

/** What a prediction request asks for. */
export interface PredictRequest {
  readonly samples: readonly Sample[]
  readonly withEmbedding: boolean
}

/** What requests may hold beside values. */
export interface RequestForm {
  readonly signature: ModelSignature
  /** The service has an output that is answered where `"embedding": true` asks for it. */
  readonly hasEmbedding: boolean
}

/** Keys that a body may have: those that hold values, and flags. */
const PREDICT_KEYS = ['inputs', 'input', 'preprocessed', 'embedding']
const PREDICT_KEYS_WITH_FIELDS = ['inputs', 'input', 'fields', 'preprocessed', 'embedding']
const BATCH_KEYS = ['inputs', 'preprocessed', 'embedding']
const BATCH_KEYS_WITH_FIELDS = ['inputs', 'fields', 'preprocessed', 'embedding']

/**
 * Body of `POST /predict`: `{"inputs": {NAME: values, …}}`, or `{"input": values}` for a model with one input, or
 * `{"fields": {NAME: value, …}}` where the values of all inputs have names; optionally
 * `"preprocessed": true` when the values are model inputs already and the service's preprocessing is not to be applied, and
 * `"embedding": true` for services with an embedding.
 *
 * @throws HttpError `INVALID_REQUEST`, `INVALID_INPUT`, `OUT_OF_RANGE`
 */
export function readPredictRequest(body: unknown, form: RequestForm): PredictRequest {
  const { signature } = form
  const given = requireObject(body, 'The body')
  const named = hasNamedFields(signature)
  requireKeys(given, named ? PREDICT_KEYS_WITH_FIELDS : PREDICT_KEYS)
  const { inputs: byInput, input: alone, fields: byField } = given
  if (Number(byInput !== undefined) + Number(alone !== undefined) + Number(byField !== undefined) !== 1) {
    const expected = named ? 'one of "inputs", "input" and "fields"' : 'either "inputs" or "input"'
    throw new HttpError('INVALID_REQUEST', `The body must have ${expected}.`, { hint: exampleFor(signature) })
  }
  const preprocessed = readFlag(given, 'preprocessed')
  const withEmbedding = readEmbeddingFlag(given, form)
  const one = (sample: Sample): PredictRequest => ({ samples: [sample], withEmbedding })
  if (byInput !== undefined) return one(readInputs(byInput, signature, preprocessed, pathOf('inputs'), new FloatBlock(1)))
  if (byField !== undefined) return one(readFields(byField, signature, preprocessed, 'fields'))
  const only = signature.inputs[0]
  if (!only || signature.inputs.length > 1) {
    throw new HttpError('INVALID_REQUEST', `"input" is for models with one input; this one has ${signature.inputs.length}.`, {
      hint: exampleFor(signature),
    })
  }
  return one({ [only.port.name]: readSample(alone, only, preprocessed, 'input') })
}

/**
 * Body of `POST /predict/batch`: `{"inputs": [{NAME: values, …}, …]}` or `{"fields": [{NAME: value, …}, …]}`, each entry as in
 * `POST /predict`.
 *
 * @throws HttpError `INVALID_REQUEST`, `INVALID_INPUT`, `OUT_OF_RANGE`, `TOO_MANY_SAMPLES`
 */
export function readBatchRequest(body: unknown, form: RequestForm, limit: number): PredictRequest {
  const { signature } = form
  const given = requireObject(body, 'The body')
  const named = hasNamedFields(signature)
  requireKeys(given, named ? BATCH_KEYS_WITH_FIELDS : BATCH_KEYS)
  const key = named && Object.hasOwn(given, 'fields') ? 'fields' : 'inputs'
  if (key === 'fields' && Object.hasOwn(given, 'inputs')) {
    throw new HttpError('INVALID_REQUEST', 'The body must have either "inputs" or "fields".', { hint: exampleFor(signature) })
  }
  const entries = given[key]
  if (!Array.isArray(entries)) {
    throw new HttpError('INVALID_REQUEST', `"${key}" must be a list of samples, found ${describe(entries)}.`, {
      hint: batchExampleFor(key, signature),
    })
  }
  if (entries.length === 0) throw new HttpError('INVALID_REQUEST', `"${key}" holds no sample.`)
  if (entries.length > limit) throw tooManySamples(key, entries.length, limit)
  const preprocessed = readFlag(given, 'preprocessed')
  const block = new FloatBlock(entries.length)
  const samples = new Array<Sample>(entries.length)
  for (let index = 0; index < samples.length; index++) {
    samples[index] =
      key === 'fields'
        ? readFields(entries[index], signature, preprocessed, `fields[${index}]`)
        : readInputs(entries[index], signature, preprocessed, pathOf('inputs', index), block)
  }
  return { samples, withEmbedding: readEmbeddingFlag(given, form) }
}

/** How messages call a place; not written where there is nothing to say, which is nearly always. */
type PathOf = () => string

function pathOf(key: string, index?: number): PathOf {
  return () => (index === undefined ? key : `${key}[${index}]`)
}

/** Whether samples can be given by the names of their values. */
export function hasNamedFields({ inputs }: ModelSignature): boolean {
  return inputs.length > 0 && inputs.every(({ fields }) => fields?.isComplete)
}

export function tooManySamples(key: string, found: number, limit: number): HttpError {
  return new HttpError('TOO_MANY_SAMPLES', `"${key}" holds ${found} samples, at most ${limit} are taken at once.`, {
    hint: 'Split them over several requests.',
  })
}

function readFields(value: unknown, { inputs }: ModelSignature, preprocessed: boolean, path: string): Sample {
  if (preprocessed) throw new HttpError('INVALID_REQUEST', '"preprocessed" is for "inputs": fields are given as people know them.')
  const given = requireObject(value, path)
  const unknown = Object.keys(given).find((name) => !inputs.some(({ fields }) => fields?.names.has(name)))
  if (unknown !== undefined) {
    throw new HttpError('INVALID_INPUT', `${path} has ${JSON.stringify(unknown.slice(0, 80))}, which is no field of the model.`, {
      hint: fieldsHint(inputs),
    })
  }
  return sampleOf(
    inputs.map((input) => {
      const { byIndex } = input.fields as InputFields
      const values = new Array<unknown>(byIndex.size)
      for (const [index, { name }] of byIndex) {
        if (!Object.hasOwn(given, name)) throw new HttpError('INVALID_INPUT', `${path}.${name} is missing.`, { hint: fieldsHint(inputs) })
        const value = given[name]
        if (Array.isArray(value)) throw new HttpError('INVALID_INPUT', `${path}.${name} must be one value, found ${describe(value)}.`)
        values[index] = value
      }
      return [input.port.name, readSample(values, input, false, path, true)] as const
    }),
  )
}

/** Hints stay short where there are many names. */
const MOST_NAMES_SHOWN = 60

function fieldsHint(inputs: ModelSignature['inputs']): string {
  const names = inputs.flatMap(({ fields }) => [...(fields?.names ?? [])])
  const rest = names.length - MOST_NAMES_SHOWN
  return `The fields are: ${names.slice(0, MOST_NAMES_SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}.`
}

function readInputs(value: unknown, { inputs }: ModelSignature, preprocessed: boolean, path: PathOf, block: FloatBlock): Sample {
  const only = inputs.length === 1 ? inputs[0] : undefined
  if (only && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const { name } = only.port
    const names = Object.keys(value)
    if (names.length === 1 && names[0] === name) {
      const given = (value as Readonly<Record<string, unknown>>)[name]
      // A computed name defines a property, so that an input may be called "__proto__".
      return { [name]: plainSample(given, only, block) ?? readSample(given, only, preprocessed, `${path()}.${name}`) }
    }
  }
  const given = requireObject(value, path())
  const names = inputs.map(({ port }) => port.name)
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new HttpError('INVALID_INPUT', `${path()} has ${JSON.stringify(unknown.slice(0, 80))}, which is no input of the model.`, {
      hint: `The inputs are: ${names.join(', ')}.`,
    })
  }
  return sampleOf(
    inputs.map((input) => {
      const { name } = input.port
      if (!Object.hasOwn(given, name)) {
        throw new HttpError('INVALID_INPUT', `${path()}.${name} is missing.`, { hint: `The inputs are: ${names.join(', ')}.` })
      }
      return [name, readSample(given[name], input, preprocessed, `${path()}.${name}`)] as const
    }),
  )
}

/** fromEntries defines properties, as computed names do. */
function sampleOf(entries: readonly (readonly [string, RuntimeTensor])[]): Sample {
  return Object.fromEntries(entries)
}

function readEmbeddingFlag(given: Readonly<Record<string, unknown>>, { hasEmbedding }: RequestForm): boolean {
  const wanted = readFlag(given, 'embedding')
  if (wanted && !hasEmbedding) throw new HttpError('INVALID_REQUEST', 'This service has no embedding to answer.')
  return wanted
}

function readFlag(given: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = given[name]
  if (value === undefined) return false
  if (typeof value === 'boolean') return value
  throw new HttpError('INVALID_REQUEST', `"${name}" must be true or false, found ${describe(value)}.`)
}

/** @throws HttpError `INVALID_REQUEST` */
export function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new HttpError('INVALID_REQUEST', `${what} must be an object, found ${describe(value)}.`)
}

function requireKeys(fields: object, allowed: readonly string[]): void {
  let unknown: string | undefined
  for (const key of Object.keys(fields)) if (!allowed.includes(key)) unknown ??= key
  if (unknown === undefined) return
  throw new HttpError('INVALID_REQUEST', `The body has the unknown field ${JSON.stringify(unknown.slice(0, 80))}.`, {
    hint: `Known fields: ${allowed.join(', ')}.`,
  })
}

function exampleFor({ inputs }: ModelSignature): string {
  return `For example {"inputs": {${inputs.map(({ port }) => `${JSON.stringify(port.name)}: […]`).join(', ')}}}.`
}

function batchExampleFor(key: 'fields' | 'inputs', { inputs }: ModelSignature): string {
  const sample = inputs.map(({ port }) => `${JSON.stringify(port.name)}: […]`).join(', ')
  return key === 'inputs' ? `For example {"inputs": [{${sample}}, …]}.` : 'For example {"fields": [{"name of a field": 0.5}, …]}.'
}
