import { EdgesmithError } from '../../../contract/errors.ts'
import type { Model, PortDescription } from '../../../contract/model.ts'
import { quoteName } from '../../../core/onnx/quote-name.ts'
import { enumName, type ProtoMessage, type ProtoValue } from './proto-text.ts'

/** Element types that Triton knows, by our name. Source: `DataType` in triton-inference-server/common, protobuf/model_config.proto. */
const dataTypes: Readonly<Record<string, string>> = {
  bool: 'TYPE_BOOL',
  uint8: 'TYPE_UINT8',
  uint16: 'TYPE_UINT16',
  uint32: 'TYPE_UINT32',
  uint64: 'TYPE_UINT64',
  int8: 'TYPE_INT8',
  int16: 'TYPE_INT16',
  int32: 'TYPE_INT32',
  int64: 'TYPE_INT64',
  float16: 'TYPE_FP16',
  float32: 'TYPE_FP32',
  float64: 'TYPE_FP64',
  string: 'TYPE_STRING',
  bfloat16: 'TYPE_BF16',
}

/** Samples of one run at most: more gain next to nothing on a processor, and memory grows with them. */
const largestBatch = 64
/** Waiting longer for company costs more than it gains for models of a millisecond. */
const queueDelayMicros = 100

export interface TritonModel {
  readonly name: string
  readonly model: Pick<Model, 'report'>
  /** How samples share a run, as found by running it. */
  readonly batching: 'open' | 'fixed' | 'single'
  readonly threads: number
  /** Output that the names of classes belong to, and their file. */
  readonly labels: { readonly output: string; readonly file: string } | null
}

/**
 * `config.pbtxt` of a model, and what is worth knowing about it.
 *
 * Where all inputs and outputs have an open first dimension that really is the batch, Triton adds it (`max_batch_size`) and `dims` leave it
 * out; otherwise they are whole. Triton wants at least one dimension: scalars are reshaped.
 *
 * Source: Triton Inference Server, docs/user_guide/model_configuration.md, and model_config.proto.
 * @throws EdgesmithError `NOT_EXPORTABLE` for element types Triton does not have
 */
export function tritonConfig({ name, model, batching, threads, labels }: TritonModel): { config: ProtoMessage; notes: string[] } {
  const { inputs, outputs } = model.report
  const ports = [...inputs, ...outputs]
  const batched = batching === 'open' && ports.every(({ shape }) => shape !== null && shape.length > 0 && typeof shape[0] !== 'number')
  const maxBatch = batched ? largestBatch : 0
  const unknown = ports.filter(({ shape }) => shape === null)
  const config: ProtoMessage = {
    name,
    platform: 'onnxruntime_onnx',
    max_batch_size: maxBatch,
    input: described(inputs, batched, () => ({})),
    output: described(outputs, batched, (port) => (port.name === labels?.output ? { label_filename: labels.file } : {})),
    version_policy: { latest: { num_versions: 1 } },
    instance_group: [{ kind: enumName('KIND_CPU'), count: 1 }],
    // Pinned memory is for copies to a GPU.
    optimization: { input_pinned_memory: { enable: false }, output_pinned_memory: { enable: false } },
    ...(batched ? { dynamic_batching: { max_queue_delay_microseconds: queueDelayMicros } } : {}),
    parameters: [{ key: 'intra_op_thread_count', value: { string_value: String(threads) } }],
    ...warmUp(inputs, batched),
  }
  return {
    config,
    notes: [
      ...(batched
        ? []
        : [
            `Triton does not gather requests for this model: ${batching === 'open' ? 'not all of its inputs and outputs begin with an open batch dimension' : 'it has no open batch dimension'}.`,
          ]),
      ...(unknown.length > 0
        ? [
            `The shape of ${unknown.map((port) => quoteName(port.name)).join(', ')} is not in the model: config.pbtxt leaves it out, and Triton completes it when it loads the model.`,
          ]
        : []),
    ],
  }
}

function described(
  ports: readonly PortDescription[],
  batched: boolean,
  more: (port: PortDescription) => ProtoMessage,
): ProtoValue[] | undefined {
  const known = ports.flatMap((port) => {
    const { name, type, shape } = port
    if (shape === null) return []
    return [{ name, data_type: enumName(dataTypeOf(port.name, type)), ...dimsOf(sizesOf(shape, batched)), ...more(port) }]
  })
  return known.length > 0 ? known : undefined
}

function dataTypeOf(name: string, type: string): string {
  const known = dataTypes[type]
  if (known !== undefined) return known
  throw new EdgesmithError('NOT_EXPORTABLE', `${quoteName(name)} has elements of type ${type}, which Triton does not know`, {
    hint: 'Export it as package or docker: our own server takes what ONNX Runtime takes.',
  })
}

function sizesOf(shape: NonNullable<PortDescription['shape']>, batched: boolean): number[] {
  return shape.slice(batched ? 1 : 0).map((dim) => (typeof dim === 'number' ? dim : -1))
}

function dimsOf(sizes: readonly number[]): ProtoMessage {
  return sizes.length > 0 ? { dims: sizes } : { dims: [1], reshape: { shape: [] } }
}

/**
 * The first request does not wait for what ONNX Runtime prepares at its first run. Only where all sizes are known and zeros cannot make the
 * run fail: Triton does not load a model whose warm-up fails.
 */
function warmUp(inputs: readonly PortDescription[], batched: boolean): ProtoMessage {
  const sizes = inputs.map(({ shape }) => (shape === null ? [-1] : sizesOf(shape, batched)))
  const isSafe = inputs.every(({ type }, index) => type.startsWith('float') && sizes[index]?.every((size) => size > 0))
  if (inputs.length === 0 || !isSafe) return {}
  const values = inputs.map(({ name, type }, index) => ({
    key: name,
    value: { data_type: enumName(dataTypeOf(name, type)), dims: sizes[index]?.length ? (sizes[index] as number[]) : [1], zero_data: true },
  }))
  return { model_warmup: [{ name: 'zeros', batch_size: 1, inputs: values }] }
}
