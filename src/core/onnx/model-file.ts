import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { GraphProtoSchema, type ModelProto, ModelProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { joinBytes } from '../join-bytes.ts'
import { recognizeFormat } from './file-formats.ts'
import { MODEL_LIMITS } from './limits.ts'
import { checkWire, type WireProblem } from './wire-check.ts'

/**
 * Decodes an .onnx file. Raw tensor data stays a view into `bytes`, unknown fields are kept, so that
 * {@link encodeModel} gives back every field that was read. Time and memory are bounded for hostile files.
 *
 * @param bytes the whole file
 * @param name how messages call it (a file name)
 * @throws CoreError `MODEL_NOT_ONNX` (the message says what the file looks like), `MODEL_TRUNCATED` when it ends inside a field,
 *   `MODEL_INVALID` when a part of it is damaged, `TOO_LARGE` when a count is over its limit
 */
export function decodeModel(bytes: Uint8Array, name: string): ModelProto {
  if (bytes.length === 0) throw new CoreError('MODEL_NOT_ONNX', `${name} is empty (0 bytes), expected an ONNX model`)
  const problem = checkWire(bytes)
  if (problem) throw wireError(problem, bytes, name)
  let model: ModelProto
  try {
    // A plain Uint8Array also where a Node.js Buffer came in: its slice() would not copy, and every raw tensor would inherit that.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    model = fromBinary(ModelProtoSchema, plain, { recursionLimit: MODEL_LIMITS.depth })
  } catch (error) {
    throw notOnnx(bytes, name, error instanceof Error ? error.message : String(error))
  }
  if (model.graph && model.irVersion !== 0n) return model
  if (!model.graph && looksLikeOnnx(bytes)) throw truncated(name, bytes.length, 'it ends before its graph')
  throw notOnnx(bytes, name, model.graph ? 'it has no IR version' : 'it has no graph')
}

/**
 * Encodes a model to the bytes of an .onnx file, unknown fields included.
 *
 * Initializers with many raw bytes are put in their place in one allocation: the general encoder copies a message once for
 * every message around it, two and a half times the model's size.
 */
export function encodeModel(model: ModelProto): Uint8Array {
  const { graph } = model
  if (!graph?.initializer.some(isLarge)) return toBinary(ModelProtoSchema, model)
  const tensors = graph.initializer.flatMap((tensor) => {
    const parts = isLarge(tensor)
      ? split(TensorProtoSchema, tensor, TENSOR_RAW_DATA, [tensor.rawData])
      : [toBinary(TensorProtoSchema, tensor)]
    return [fieldHead(GRAPH_INITIALIZER, byteSize(parts)), ...parts]
  })
  const [nodes = EMPTY, ...others] = around(GraphProtoSchema, graph, GRAPH_INITIALIZER)
  return joinBytes(split(ModelProtoSchema, model, MODEL_GRAPH, [nodes, ...tensors, ...others]))
}

/** Raw bytes from which a tensor is written apart. */
const LARGE_TENSOR = 64 * 1024
/** Field numbers of onnx.proto. */
const MODEL_GRAPH = 7
const GRAPH_INITIALIZER = 5
const TENSOR_RAW_DATA = 9
/** Wire type of messages and bytes. */
const LENGTH_DELIMITED = 2

const EMPTY = new Uint8Array()

function isLarge({ rawData }: TensorProto): boolean {
  return rawData.length >= LARGE_TENSOR
}

/** A message with the content of one field given in parts; fields stand in the order of their numbers, as the general encoder writes them. */
function split<S extends DescMessage>(schema: S, message: MessageShape<S>, field: number, content: readonly Uint8Array[]): Uint8Array[] {
  const [before = EMPTY, after = EMPTY] = around(schema, message, field)
  return [before, fieldHead(field, byteSize(content)), ...content, after]
}

/** The fields of a message before and after a field, without that field; unknown ones come last. */
function around<S extends DescMessage>(schema: S, message: MessageShape<S>, field: number): [Uint8Array, Uint8Array] {
  const [before, after] = [shallowCopy(message), shallowCopy(message)]
  for (const { number, localName } of schema.fields) {
    if (number >= field) delete before[localName as keyof typeof before]
    if (number <= field) delete after[localName as keyof typeof after]
  }
  // Lists must be there, be it without entries.
  const empty = create(schema)
  delete before.$unknown
  return [toBinary(schema, Object.assign(shallowCopy(empty), before)), toBinary(schema, Object.assign(shallowCopy(empty), after))]
}

/** Messages carry the defaults of their fields in their prototype. */
function shallowCopy<T extends object>(message: T): T {
  return Object.assign(Object.create(Object.getPrototypeOf(message)) as T, message)
}

/** Tag and length of a field whose content follows. */
function fieldHead(field: number, length: number): Uint8Array {
  return Uint8Array.from([...varint(field * 8 + LENGTH_DELIMITED), ...varint(length)])
}

/** Base 128, lowest group first, the top bit says that more follow. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}

function byteSize(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function wireError(problem: WireProblem, bytes: Uint8Array, name: string): CoreError {
  if (!looksLikeOnnx(bytes)) return notOnnx(bytes, name, `${problem.reason} at byte ${problem.at}`)
  if (problem.kind === 'truncated') return truncated(name, bytes.length, problem.reason, problem.neededBytes)
  if (problem.kind === 'too-large') {
    return new CoreError('TOO_LARGE', `${name} is over the limits for a model: ${problem.reason}.`, { details: { byte: problem.at } })
  }
  return new CoreError('MODEL_INVALID', `${name} is damaged at byte ${problem.at}: ${problem.reason}.`, {
    hint: 'Copy, download or export the file again.',
    details: { byte: problem.at },
  })
}

function truncated(name: string, found: number, reason: string, needed?: number): CoreError {
  const sizes = needed === undefined ? `${found} bytes` : `found ${found} bytes, expected at least ${needed}`
  return new CoreError('MODEL_TRUNCATED', `${name} is truncated: ${reason} (${sizes}).`, {
    hint: 'Copy or download the file again and compare its size with the original.',
    details: { foundBytes: found, ...(needed === undefined ? {} : { expectedBytes: needed }) },
  })
}

function notOnnx(bytes: Uint8Array, name: string, reason: string): CoreError {
  const format = recognizeFormat(bytes)
  if (format) return new CoreError('MODEL_NOT_ONNX', `${name} is not an ONNX model: it looks like ${format.what}.`, { hint: format.hint })
  return new CoreError('MODEL_NOT_ONNX', `${name} is not an ONNX model: ${reason}.`, {
    hint: 'Export the model to ONNX first, for example with torch.onnx.export(model, example, "model.onnx").',
  })
}

/** True when the file begins like ONNX writers begin: field 1 (ir_version, varint) with a small version number, and no other format's mark. */
function looksLikeOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && (bytes[1] ?? 0) > 0 && (bytes[1] ?? 0) < 64 && recognizeFormat(bytes) === undefined
}
