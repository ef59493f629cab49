import type { GoldenAnswers, TensorText } from '../../contract/service.ts'
import { decodeBase64 } from '../../core/base64.ts'
import { halfToFloat } from '../../core/float16.ts'
import { outputSpan } from '../../core/metrics/output-span.ts'
import { type HttpReply, jsonOf } from '../../platform/http-call.ts'
import { replyText, type ServiceClient } from './service-client.ts'
import { failed, failureOf, notChecked, passed, type ValidationCheck } from './validation-check.ts'

const NAME = 'golden answers'

/** Element types of a tensor that golden answers can have, as the Open Inference Protocol calls them, and how their bytes are read. */
const kinds: Readonly<
  Record<string, { readonly datatype: string; readonly read: (view: DataView, at: number) => number; readonly size: number }>
> = {
  bool: { datatype: 'BOOL', size: 1, read: (view, at) => view.getUint8(at) },
  uint8: { datatype: 'UINT8', size: 1, read: (view, at) => view.getUint8(at) },
  int8: { datatype: 'INT8', size: 1, read: (view, at) => view.getInt8(at) },
  uint16: { datatype: 'UINT16', size: 2, read: (view, at) => view.getUint16(at, true) },
  int16: { datatype: 'INT16', size: 2, read: (view, at) => view.getInt16(at, true) },
  float16: { datatype: 'FP16', size: 2, read: (view, at) => halfToFloat(view.getUint16(at, true)) },
  uint32: { datatype: 'UINT32', size: 4, read: (view, at) => view.getUint32(at, true) },
  int32: { datatype: 'INT32', size: 4, read: (view, at) => view.getInt32(at, true) },
  float32: { datatype: 'FP32', size: 4, read: (view, at) => view.getFloat32(at, true) },
  uint64: { datatype: 'UINT64', size: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  int64: { datatype: 'INT64', size: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  float64: { datatype: 'FP64', size: 8, read: (view, at) => view.getFloat64(at, true) },
}

/**
 * Sends the inputs of golden answers to the service (Open Inference Protocol, binary) and compares what comes back with what the model gave on
 * this computer: every value within `tolerance` of the output's range over all samples.
 *
 * @param service its name, which is the model's there
 * @param inputs where the inputs came from
 */
export async function checkGolden(
  client: ServiceClient,
  service: string,
  golden: GoldenAnswers,
  inputs: 'data' | 'made up',
): Promise<ValidationCheck> {
  const limit = `within ${(golden.tolerance * 100).toLocaleString('en-US')} % of the output's range`
  const { samples } = golden
  const unknown = samples.flatMap((sample) => [...sample.inputs, ...sample.outputs]).find(({ type }) => kinds[type] === undefined)
  if (unknown) return notChecked(NAME, `"${unknown.name}" holds ${unknown.type} values`, limit)
  try {
    const found = new Map<string, { readonly wanted: number[]; readonly given: number[] }>()
    for (const [index, sample] of samples.entries()) {
      const reply = await client.postBinary(`/v2/models/${service}/infer`, inferRequest(sample.inputs), sample.inputs.map(bytesOf))
      // Ranges that were given for fields are for real values.
      if (reply.status === 422 && inputs === 'made up') {
        return notChecked(NAME, `the service does not take made-up inputs (${replyText(reply)}); give a dataset`, limit)
      }
      const wrong = reply.status === 200 ? takeOutputs(reply, sample.outputs, found) : `answered ${replyText(reply)}`
      if (wrong !== null) return failed(NAME, `sample ${index + 1} of ${samples.length}: ${wrong}`, limit)
    }
    let worst = { name: '', share: 0 }
    for (const [name, { wanted, given }] of found) {
      const share = largestShare(wanted, given)
      if (!(share <= worst.share)) worst = { name, share }
    }
    const measured = `${samples.length} samples, ${inputs === 'data' ? 'of the dataset' : 'made up'}: ${
      worst.name === '' ? 'all values equal' : `largest difference ${(worst.share * 100).toPrecision(2)} % ("${worst.name}")`
    }`
    return worst.share <= golden.tolerance ? passed(NAME, measured, limit) : failed(NAME, measured, limit)
  } catch (error) {
    return failed(NAME, failureOf(error), limit)
  }
}

function inferRequest(inputs: readonly TensorText[]) {
  return {
    inputs: inputs.map((tensor) => ({
      name: tensor.name,
      shape: tensor.dims,
      datatype: kinds[tensor.type]?.datatype,
      parameters: { binary_data_size: bytesOf(tensor).length },
    })),
    parameters: { binary_data_output: true },
  }
}

function bytesOf({ values }: TensorText): Uint8Array {
  return decodeBase64(values)
}

/** Reads the binary outputs of an answer beside the wanted ones. @returns what is wrong with the answer, or null */
function takeOutputs(
  reply: HttpReply,
  outputs: readonly TensorText[],
  found: Map<string, { readonly wanted: number[]; readonly given: number[] }>,
): string | null {
  const jsonLength = Number(reply.headers['inference-header-content-length'] ?? Number.NaN)
  if (!Number.isInteger(jsonLength) || jsonLength > reply.bytes.length) return 'its answer has no Inference-Header-Content-Length that fits'
  const described = (jsonOf({ ...reply, bytes: reply.bytes.subarray(0, jsonLength) }) as { outputs?: unknown } | undefined)?.outputs
  if (!Array.isArray(described)) return 'its answer has no outputs'
  const pieces = new Map<string, Uint8Array>()
  let at = jsonLength
  for (const output of described as readonly { name?: unknown; parameters?: { binary_data_size?: unknown } }[]) {
    const size = output?.parameters?.binary_data_size
    if (typeof output?.name !== 'string' || typeof size !== 'number') return 'an output has no name or no binary data'
    pieces.set(output.name, reply.bytes.subarray(at, at + size))
    at += size
  }
  for (const { name, type, values } of outputs) {
    const kind = kinds[type]
    const [wanted, given] = [decodeBase64(values), pieces.get(name)]
    if (!kind || given?.length !== wanted.length) return `output "${name}" has ${given?.length ?? 0} bytes, expected ${wanted.length}`
    const entry = found.get(name) ?? { wanted: [], given: [] }
    found.set(name, entry)
    const [wantedView, givenView] = [wanted, given].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
    for (let offset = 0; offset < wanted.length; offset += kind.size) {
      entry.wanted.push(kind.read(wantedView as DataView, offset))
      entry.given.push(kind.read(givenView as DataView, offset))
    }
  }
  return null
}

/** Largest difference as a share of the span of the wanted values. */
function largestShare(wanted: readonly number[], given: readonly number[]): number {
  let [low, high, largest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const [index, value] of wanted.entries()) {
    low = Math.min(low, value)
    high = Math.max(high, value)
    const difference = Math.abs(value - (given[index] as number))
    // NaN is as far away as can be.
    largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(largest, difference)
  }
  return largest === 0 ? 0 : largest / outputSpan(low, high)
}
