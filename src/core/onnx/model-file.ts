import { fromBinary, toBinary } from '@bufbuild/protobuf'
import { type ModelProto, ModelProtoSchema } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
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

/** Encodes a model to the bytes of an .onnx file, unknown fields included. */
export function encodeModel(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model)
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
