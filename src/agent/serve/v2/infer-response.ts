import type { NamedTensors, RuntimeTensor, TensorValues } from '../../../core/inference-runtime.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import { elementFormats, jsonValue } from '../element-types.ts'
import type { Answer } from '../http-answer.ts'
import type { RunPart } from '../predictor.ts'
import type { InferRequest } from './infer-request.ts'
import { datatypes, tensorToBytes } from './tensor-bytes.ts'

/** Which model answered. */
export interface AnsweringModel {
  readonly name: string
  readonly version: string
}

/**
 * Outputs of a request, whole again: the rows of all runs that were its, one after the other.
 * @param names outputs that are wanted
 */
export function joinParts(parts: readonly RunPart[], names: readonly string[]): NamedTensors {
  return Object.fromEntries(names.map((name) => [name, joined(parts, name)]))
}

/**
 * Answer to an inference request; outputs that were wanted as binary data follow the JSON. Values that JSON has no word for (NaN, infinities) are
 * null there, integers beyond 2⁵³ strings; binary data keeps them.
 */
export function inferAnswer({ id, outputs }: InferRequest, tensors: NamedTensors, model: AnsweringModel): Answer {
  const binary: Uint8Array[] = []
  const body = {
    model_name: model.name,
    model_version: model.version,
    ...(id === undefined ? {} : { id }),
    outputs: outputs.map(({ name, isBinary }) => {
      const tensor = tensors[name] as RuntimeTensor
      const { type, dims, values } = tensor
      const described = { name, datatype: datatypes[type] ?? type.toUpperCase(), shape: dims }
      if (!isBinary) return { ...described, data: jsonValues(tensor) }
      const bytes = tensorToBytes(values)
      binary.push(bytes)
      return { ...described, parameters: { binary_data_size: bytes.length } }
    }),
  }
  if (!outputs.some(({ isBinary }) => isBinary)) return { status: 200, body }
  const json = Buffer.from(JSON.stringify(body), 'utf8')
  return {
    status: 200,
    body: Buffer.concat([json, ...binary]),
    contentType: 'application/octet-stream',
    headers: { 'inference-header-content-length': String(json.length) },
  }
}

function jsonValues({ type, values }: RuntimeTensor): unknown[] {
  const list = new Array<unknown>(values.length)
  for (let i = 0; i < values.length; i++) list[i] = jsonValue(type, values, i)
  return list
}

function joined(parts: readonly RunPart[], name: string): RuntimeTensor {
  const rows = parts.map((part) => rowsOf(part, name))
  const [first] = rows as [RuntimeTensor]
  if (rows.length === 1) return first
  const { type, dims } = first
  const total = rows.reduce((sum, part) => sum + (part.dims[0] as number), 0)
  const values = elementFormats[type]?.make(total * elementCount(dims.slice(1))) as TensorValues
  let next = 0
  for (const part of rows) {
    if (Array.isArray(values)) for (let i = 0; i < part.values.length; i++) values[next + i] = part.values[i] as string
    else (values as Float32Array).set(part.values as Float32Array, next)
    next += part.values.length
  }
  return { type, dims: [total, ...dims.slice(1)], values }
}

function rowsOf({ run, first, count }: RunPart, name: string): RuntimeTensor {
  const tensor = run.outputs[name] as RuntimeTensor
  if (run.rows === undefined || run.rows === count) return tensor
  const { type, dims, values } = tensor
  const size = elementCount(dims.slice(1))
  const [from, to] = [first * size, (first + count) * size]
  return {
    type,
    dims: [count, ...dims.slice(1)],
    values: Array.isArray(values) ? values.slice(from, to) : (values as Float32Array).subarray(from, to),
  }
}
