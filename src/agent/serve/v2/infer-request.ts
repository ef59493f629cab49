import { isIdentity } from '../../../core/datasets/preprocess.ts'
import type { NamedTensors, RuntimeTensor } from '../../../core/inference-runtime.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import type { RequestHeaders } from '../../http/request-head.ts'
import { elementFormats } from '../element-types.ts'
import { HttpError } from '../http-error.ts'
import { areFloatsInRange, requireInRange } from '../input-fields.ts'
import type { ModelSignature, SampleInput } from '../model-signature.ts'
import { requireObject, tooManySamples } from '../predict-request.ts'
import { type BodyFormat, parseJson } from '../request-body.ts'
import { describe, fillValues } from '../sample-reader.ts'
import { datatypes, tensorFromBytes } from './tensor-bytes.ts'

/** Length of the JSON at the start of a body with binary tensors. */
const JSON_LENGTH_HEADER = 'inference-header-content-length'
/** Longest id that is answered. */
const ID_CHARACTERS = 1000
const MOST_DIMENSIONS = 32

/** A body of the protocol: the JSON and, with the binary extension, the tensors after it. */
export interface InferBody {
  readonly json: unknown
  readonly binary: Uint8Array
}

/** JSON, or JSON and tensors. Clients of the protocol often declare no type at all; with a token in a header no web page can send one unasked. */
export const inferBody: BodyFormat = {
  require: (headers) => {
    const type = headers['content-type']
    if (type === undefined || /^application\/(?:json|octet-stream)\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i.test(type)) return
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json or, with binary tensors, application/octet-stream.')
  },
  decode: (bytes, headers): InferBody => {
    const length = jsonLength(headers, bytes.length)
    return { json: parseJson(bytes.subarray(0, length)), binary: bytes.subarray(length) }
  },
}

/** An output as it was asked for. */
export interface WantedOutput {
  readonly name: string
  readonly isBinary: boolean
}

export interface InferRequest {
  readonly id: string | undefined
  /** By input name, whole: with the batch dimension where the model has one. */
  readonly feeds: NamedTensors
  readonly outputs: readonly WantedOutput[]
}

/**
 * Reads an inference request. Tensors are the model's own inputs: the service's preprocessing is not applied to them. Ranges are checked where the
 * model's inputs are what people know, that is without preprocessing.
 *
 * @param outputNames of the model, in order
 * @param batchLimit rows that are taken at once
 * @throws HttpError `INVALID_REQUEST`, `INVALID_INPUT`, `OUT_OF_RANGE`, `TOO_MANY_SAMPLES`
 */
export function readInferRequest(
  { json, binary }: InferBody,
  signature: ModelSignature,
  outputNames: readonly string[],
  batchLimit: number,
): InferRequest {
  const body = requireObject(json, 'The body')
  const { id } = body
  if (id !== undefined && (typeof id !== 'string' || id.length > ID_CHARACTERS)) {
    throw new HttpError('INVALID_REQUEST', `"id" must be a string of at most ${ID_CHARACTERS} characters, found ${describe(id)}.`)
  }
  const allBinary = readFlag(readParameters(body, 'The body'), 'binary_data_output', 'parameters') ?? false
  return {
    id: id as string | undefined,
    feeds: readTensors(body.inputs, binary, signature, batchLimit),
    outputs: readOutputs(body.outputs, outputNames, allBinary),
  }
}

function readTensors(inputs: unknown, binary: Uint8Array, signature: ModelSignature, batchLimit: number): NamedTensors {
  if (!Array.isArray(inputs)) throw new HttpError('INVALID_REQUEST', `"inputs" must be a list of tensors, found ${describe(inputs)}.`)
  const names = signature.inputs.map(({ port }) => port.name)
  const found = new Map<string, RuntimeTensor>()
  let next = 0
  // The model has few inputs: a longer list repeats or invents some, which ends the loop.
  for (const [index, entry] of inputs.entries()) {
    const path = `inputs[${index}]`
    const tensor = requireObject(entry, path)
    const input = signature.inputs.find(({ port }) => port.name === tensor.name)
    if (!input) {
      throw new HttpError('INVALID_INPUT', `${path}.name is ${describe(tensor.name)}, which is no input of the model.`, {
        hint: `The inputs are: ${names.join(', ')}.`,
      })
    }
    const { name } = input.port
    if (found.has(name)) throw new HttpError('INVALID_REQUEST', `"inputs" has "${name}" twice.`)
    const size = binarySize(tensor, path)
    if (size !== undefined && next + size > binary.length) {
      throw new HttpError('INVALID_REQUEST', `${path} ("${name}") needs ${size} bytes after the JSON, ${binary.length - next} are left.`)
    }
    const bytes = size === undefined ? undefined : binary.subarray(next, next + size)
    next += size ?? 0
    found.set(name, readTensor(tensor, input, bytes, { path: `${path} ("${name}")`, batchLimit }))
  }
  if (next !== binary.length) throw new HttpError('INVALID_REQUEST', `${binary.length - next} bytes after the JSON belong to no input.`)
  const missing = names.find((name) => !found.has(name))
  if (missing !== undefined) {
    throw new HttpError('INVALID_INPUT', `"inputs" lacks "${missing}".`, { hint: `The inputs are: ${names.join(', ')}.` })
  }
  requireSameRows(signature, found)
  return Object.fromEntries(found)
}

interface TensorPlace {
  readonly path: string
  readonly batchLimit: number
}

function readTensor(
  tensor: Readonly<Record<string, unknown>>,
  input: SampleInput,
  bytes: Uint8Array | undefined,
  { path, batchLimit }: TensorPlace,
): RuntimeTensor {
  const { type, shape } = input.port
  if (tensor.datatype !== datatypes[type]) {
    throw new HttpError('INVALID_INPUT', `${path} must have the datatype ${datatypes[type] ?? type}, found ${describe(tensor.datatype)}.`)
  }
  const dims = readShape(tensor.shape, path)
  if (dims.length !== shape.length || dims.some((dim, axis) => dim === 0 || (typeof shape[axis] === 'number' && shape[axis] !== dim))) {
    const wanted = shape.map((dim) => (typeof dim === 'number' ? dim : -1))
    throw new HttpError('INVALID_INPUT', `${path} must have the shape [${wanted.join(',')}], found [${dims.join(',')}].`, {
      hint: wanted.includes(-1) ? '-1 stands for any size from 1.' : undefined,
    })
  }
  const rows = input.batched ? (dims[0] as number) : 1
  if (typeof shape[0] !== 'number' && rows > batchLimit) throw tooManySamples(path, rows, batchLimit)
  const count = elementCount(dims)
  const values = bytes ? tensorFromBytes(type, bytes, count, path) : readJsonValues(tensor, type, dims, count, path)
  const { fields } = input
  if (fields && isIdentity(input.steps)) {
    const size = count / rows
    if (values instanceof Float32Array && areFloatsInRange(fields, values, 0, rows, size)) return { type, dims, values }
    const placeOf = (index: number) => `${path}: value ${index} ("${fields.byIndex.get(index)?.name}")`
    for (let row = 0; row < rows; row++) requireInRange(fields, values, type, row * size, placeOf)
  }
  return { type, dims, values }
}

/** Values in one flat list, or in lists nested as the shape says. */
function readJsonValues(
  tensor: Readonly<Record<string, unknown>>,
  type: SampleInput['port']['type'],
  dims: readonly number[],
  count: number,
  path: string,
) {
  const { data } = tensor
  const format = elementFormats[type]
  if (!format) throw new HttpError('INVALID_INPUT', `${path} takes ${type} values, which cannot be sent as JSON.`)
  if (!Array.isArray(data)) throw new HttpError('INVALID_REQUEST', `${path} must have "data", a list of values, found ${describe(data)}.`)
  const isFlat = data.length === count && !Array.isArray(data[0])
  if (!isFlat && data.length !== dims[0]) {
    throw new HttpError('INVALID_INPUT', `${path} needs ${count} values for its shape [${dims.join(',')}], found ${describe(data)}.`)
  }
  // Shapes that promise more than the body holds must not reserve memory for it.
  if (!isFlat && count > 1 && countAtMost(data, count) < count) {
    throw new HttpError('INVALID_INPUT', `${path} needs ${count} values for its shape [${dims.join(',')}], found fewer.`)
  }
  const values = format.make(count)
  fillValues(data, format, values, isFlat ? [count] : dims, `${path}.data`)
  return values
}

/** Number of values in nested lists, counted no further than the limit. */
function countAtMost(list: readonly unknown[], limit: number): number {
  let count = 0
  for (const part of list) {
    count += Array.isArray(part) ? countAtMost(part, limit - count) : 1
    if (count >= limit) return count
  }
  return count
}

function readShape(shape: unknown, path: string): readonly number[] {
  const isSize = (dim: unknown) => typeof dim === 'number' && Number.isSafeInteger(dim) && dim >= 0
  if (Array.isArray(shape) && shape.length <= MOST_DIMENSIONS && shape.every(isSize)) return shape as number[]
  throw new HttpError('INVALID_REQUEST', `${path} must have a "shape", a list of whole numbers from 0, found ${describe(shape)}.`)
}

function requireSameRows({ inputs, batching }: ModelSignature, tensors: ReadonlyMap<string, RuntimeTensor>): void {
  if (batching.kind === 'single') return
  const [first, ...rest] = inputs.map(({ port }) => ({ name: port.name, rows: tensors.get(port.name)?.dims[0] }))
  const other = rest.find(({ rows }) => rows !== first?.rows)
  if (!other) return
  throw new HttpError(
    'INVALID_INPUT',
    `The inputs must have the same number of rows: "${first?.name}" has ${first?.rows}, "${other.name}" ${other.rows}.`,
  )
}

function readOutputs(outputs: unknown, names: readonly string[], allBinary: boolean): readonly WantedOutput[] {
  // An empty list is what clients write who want all.
  if (outputs === undefined || (Array.isArray(outputs) && outputs.length === 0)) return names.map((name) => ({ name, isBinary: allBinary }))
  if (!Array.isArray(outputs)) throw new HttpError('INVALID_REQUEST', `"outputs" must be a list, found ${describe(outputs)}.`)
  const seen = new Set<string>()
  return outputs.map((entry, index) => {
    const path = `outputs[${index}]`
    const output = requireObject(entry, path)
    const { name } = output
    if (typeof name !== 'string' || !names.includes(name)) {
      throw new HttpError('INVALID_INPUT', `${path}.name is ${describe(name)}, which is no output of the model.`, {
        hint: `The outputs are: ${names.join(', ')}.`,
      })
    }
    if (seen.has(name)) throw new HttpError('INVALID_REQUEST', `"outputs" has "${name}" twice.`)
    seen.add(name)
    const parameters = readParameters(output, path)
    if (parameters.classification !== undefined) throw unsupported(path, 'classification')
    return { name, isBinary: readFlag(parameters, 'binary_data', `${path}.parameters`) ?? allBinary }
  })
}

/** Bytes after the JSON that are the tensor; `undefined` where its values are in the JSON. */
function binarySize(tensor: Readonly<Record<string, unknown>>, path: string): number | undefined {
  const { binary_data_size: size } = readParameters(tensor, path)
  if (size === undefined) return undefined
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new HttpError('INVALID_REQUEST', `${path}.parameters.binary_data_size must be a whole number from 0, found ${describe(size)}.`)
  }
  if (tensor.data !== undefined) throw new HttpError('INVALID_REQUEST', `${path} has both "data" and binary data.`)
  return size
}

/** Parameters nobody knows are left alone, as the protocol wants; those that would change the answer are not ignored. */
function readParameters(holder: Readonly<Record<string, unknown>>, path: string): Readonly<Record<string, unknown>> {
  if (holder.parameters === undefined) return {}
  const parameters = requireObject(holder.parameters, `${path}.parameters`)
  if (parameters.shared_memory_region !== undefined) throw unsupported(path, 'shared_memory_region')
  return parameters
}

function unsupported(path: string, name: string): HttpError {
  return new HttpError('INVALID_REQUEST', `${path}.parameters.${name} is of an extension that this server does not have.`, {
    hint: 'GET /v2 lists the extensions.',
  })
}

function readFlag(parameters: Readonly<Record<string, unknown>>, name: string, path: string): boolean | undefined {
  const value = parameters[name]
  if (value === undefined || typeof value === 'boolean') return value
  throw new HttpError('INVALID_REQUEST', `${path}.${name} must be true or false, found ${describe(value)}.`)
}

function jsonLength(headers: RequestHeaders, bodyLength: number): number {
  const given = headers[JSON_LENGTH_HEADER]
  if (given === undefined) return bodyLength
  const length = /^\d{1,10}$/.test(given) ? Number(given) : Number.POSITIVE_INFINITY
  if (length <= bodyLength) return length
  throw new HttpError(
    'INVALID_REQUEST',
    `The header Inference-Header-Content-Length must be a whole number of at most ${bodyLength}, the length of the body.`,
  )
}
