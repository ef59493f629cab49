import type { NamedTensors, RuntimeTensor } from '../../core/inference-runtime.ts'
import type { ElementType } from '../../core/onnx/data-types.ts'
import { HttpError } from './http-error.ts'
import type { RunPart } from './predictor.ts'

/** Characters of a value in JSON, comma included: nearly the longest of each type. Texts count by their length. */
const JSON_BYTES: Partial<Readonly<Record<ElementType, number>>> = {
  bool: 6,
  int8: 5,
  uint8: 4,
  int16: 7,
  uint16: 6,
  int32: 12,
  uint32: 11,
  int64: 20,
  uint64: 20,
  float16: 14,
}
const FLOAT_BYTES = 20
/** Quotes and comma. */
const TEXT_BYTES = 3

/** An output as it is answered. */
export interface AnsweredOutput {
  readonly name: string
  /** As binary data instead of JSON. */
  readonly isBinary: boolean
}

/** Memory of a run's outputs, texts at two bytes a character. */
export function tensorBytes(tensors: NamedTensors): number {
  let bytes = 0
  for (const name of Object.keys(tensors)) bytes += valueBytes((tensors[name] as RuntimeTensor).values)
  return bytes
}

/** About how many bytes some outputs of all samples of a request take in JSON. */
export function jsonBytes(parts: readonly RunPart[], names: readonly string[]): number {
  let bytes = 0
  for (const part of parts) {
    for (const name of names) bytes += partShare(part) * jsonBytesOf(part.run.outputs[name] as RuntimeTensor)
  }
  return bytes
}

/**
 * Refuses an answer that is too large before it is written: it would take its memory several times over.
 * @throws HttpError `RESPONSE_TOO_LARGE`
 */
export function requireJsonFits(parts: readonly RunPart[], names: readonly string[], limit: number): void {
  const bytes = jsonBytes(parts, names)
  if (bytes <= limit) return
  const hint = 'Send fewer samples in one request, or ask for binary data (4 bytes a float32) at /v2/models/NAME/infer.'
  throw responseTooLarge(`in JSON, with the outputs ${names.join(', ')},`, bytes, limit, hint)
}

/** The same for outputs of which some are answered as they are. @throws HttpError `RESPONSE_TOO_LARGE` */
export function requireTensorsFit(parts: readonly RunPart[], outputs: readonly AnsweredOutput[], limit: number): void {
  let bytes = 0
  for (const { name, isBinary } of outputs) {
    if (!isBinary) bytes += jsonBytes(parts, [name])
    else for (const part of parts) bytes += partShare(part) * valueBytes((part.run.outputs[name] as RuntimeTensor).values)
  }
  if (bytes <= limit) return
  const isText = outputs.some(({ isBinary }) => !isBinary)
  const hint = `Send fewer rows in one request, name only the outputs you need${isText ? ', or ask for binary data (4 bytes a float32)' : ''}.`
  throw responseTooLarge(`with the outputs ${outputs.map(({ name }) => name).join(', ')}`, bytes, limit, hint)
}

/** The outputs of the runs of one request, together, are more than anybody can be answered. */
export function outputsTooLarge(bytes: number, limit: number): HttpError {
  return responseTooLarge('with what the model gave so far', bytes, limit, 'Send fewer samples in one request.')
}

function responseTooLarge(what: string, bytes: number, limit: number, hint: string): HttpError {
  const megabytes = (count: number) => (count / 1e6).toPrecision(3)
  const message = `The answer ${what} would take about ${megabytes(bytes)} MB, at most ${megabytes(limit)} MB are sent.`
  return new HttpError('RESPONSE_TOO_LARGE', message, { hint })
}

/** The part of a run's outputs that belongs to a request. */
function partShare({ run, count }: RunPart): number {
  return run.rows === undefined || run.rows === 0 ? 1 : count / run.rows
}

function jsonBytesOf({ type, values }: RuntimeTensor): number {
  return Array.isArray(values) ? valueBytes(values) / 2 + TEXT_BYTES * values.length : values.length * (JSON_BYTES[type] ?? FLOAT_BYTES)
}

function valueBytes(values: RuntimeTensor['values']): number {
  if (ArrayBuffer.isView(values)) return values.byteLength
  let characters = 0
  for (const text of values as readonly string[]) characters += text.length
  return 2 * characters
}
