import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import { HttpError } from './http-error.ts'
import type { ModelSignature } from './model-signature.ts'
import { describe, readSample } from './sample-reader.ts'

/** One sample as the model takes it, each input without its batch dimension. */
export type Sample = NamedTensors

/**
 * Body of `POST /predict`: `{"inputs": {NAME: values, …}}`, or `{"input": values}` for a model with one input; optionally
 * `"preprocessed": true` when the values are model inputs already and the service's preprocessing is not to be applied.
 *
 * @throws HttpError `INVALID_REQUEST`, `INVALID_INPUT`
 */
export function readPredictRequest(body: unknown, signature: ModelSignature): Sample[] {
  const fields = requireObject(body, 'The body')
  requireKeys(fields, ['inputs', 'input', 'preprocessed'])
  if (Object.hasOwn(fields, 'input') === Object.hasOwn(fields, 'inputs')) {
    throw new HttpError('INVALID_REQUEST', 'The body must have either "inputs" or "input".', { hint: exampleFor(signature) })
  }
  const preprocessed = readFlag(fields)
  if (Object.hasOwn(fields, 'inputs')) return [readInputs(fields.inputs, signature, preprocessed, 'inputs')]
  const only = signature.inputs[0]
  if (!only || signature.inputs.length > 1) {
    throw new HttpError('INVALID_REQUEST', `"input" is for models with one input; this one has ${signature.inputs.length}.`, {
      hint: exampleFor(signature),
    })
  }
  return [named([[only.port.name, readSample(fields.input, only, preprocessed, 'input')]])]
}

/**
 * Body of `POST /predict/batch`: `{"inputs": [{NAME: values, …}, …]}`, each entry as in `POST /predict`.
 *
 * @throws HttpError `INVALID_REQUEST`, `INVALID_INPUT`, `TOO_MANY_SAMPLES`
 */
export function readBatchRequest(body: unknown, signature: ModelSignature, limit: number): Sample[] {
  const fields = requireObject(body, 'The body')
  requireKeys(fields, ['inputs', 'preprocessed'])
  const { inputs } = fields
  if (!Array.isArray(inputs)) {
    throw new HttpError('INVALID_REQUEST', `"inputs" must be a list of samples, found ${describe(inputs)}.`, {
      hint: exampleFor(signature),
    })
  }
  if (inputs.length === 0) throw new HttpError('INVALID_REQUEST', '"inputs" holds no sample.')
  if (inputs.length > limit) {
    throw new HttpError('TOO_MANY_SAMPLES', `"inputs" holds ${inputs.length} samples, at most ${limit} are taken at once.`, {
      hint: 'Split them over several requests.',
    })
  }
  const preprocessed = readFlag(fields)
  return inputs.map((entry, index) => readInputs(entry, signature, preprocessed, `inputs[${index}]`))
}

function readInputs(value: unknown, { inputs }: ModelSignature, preprocessed: boolean, path: string): Sample {
  const names = inputs.map(({ port }) => port.name)
  const given = requireObject(value, path)
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new HttpError('INVALID_INPUT', `${path} has ${JSON.stringify(unknown.slice(0, 80))}, which is no input of the model.`, {
      hint: `The inputs are: ${names.join(', ')}.`,
    })
  }
  return named(
    inputs.map((input) => {
      const { name } = input.port
      if (!Object.hasOwn(given, name)) {
        throw new HttpError('INVALID_INPUT', `${path}.${name} is missing.`, { hint: `The inputs are: ${names.join(', ')}.` })
      }
      return [name, readSample(given[name], input, preprocessed, `${path}.${name}`)] as const
    }),
  )
}

/** fromEntries defines properties, so that an input may be called "__proto__". */
function named(entries: readonly (readonly [string, RuntimeTensor])[]): Sample {
  return Object.fromEntries(entries)
}

function readFlag(fields: Readonly<Record<string, unknown>>): boolean {
  const { preprocessed = false } = fields
  if (typeof preprocessed === 'boolean') return preprocessed
  throw new HttpError('INVALID_REQUEST', `"preprocessed" must be true or false, found ${describe(preprocessed)}.`)
}

function requireObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new HttpError('INVALID_REQUEST', `${what} must be an object, found ${describe(value)}.`)
}

function requireKeys(fields: object, allowed: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => !allowed.includes(key))
  if (unknown === undefined) return
  throw new HttpError('INVALID_REQUEST', `The body has the unknown field ${JSON.stringify(unknown.slice(0, 80))}.`, {
    hint: `Known fields: ${allowed.join(', ')}.`,
  })
}

function exampleFor({ inputs }: ModelSignature): string {
  return `For example {"inputs": {${inputs.map(({ port }) => `${JSON.stringify(port.name)}: […]`).join(', ')}}}.`
}
