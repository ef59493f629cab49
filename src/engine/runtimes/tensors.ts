import { type InferenceSession, Tensor } from 'onnxruntime-node'
import { EdgesmithError } from '../../contract/errors.ts'
import type { NamedTensors, Port, RuntimeTensor, TensorValues } from '../../core/inference-runtime.ts'
import { elementCount } from '../../core/onnx/tensor-values.ts'

/** Session metadata as ports; sequences, maps and optional values are no tensors and are left out. */
export function tensorPorts(metadata: readonly InferenceSession.ValueMetadata[]): Port[] {
  return metadata.flatMap((entry) =>
    entry.isTensor ? [{ name: entry.name, type: entry.type, shape: entry.shape.map((dim) => (dim === '' ? undefined : dim)) }] : [],
  )
}

/**
 * Tensors for ONNX Runtime, checked against the model's inputs first, so that a wrong one is named.
 * @throws EdgesmithError `MODEL_RUN_FAILED` for a missing, unknown, wrongly typed or wrongly shaped input
 */
export function toFeeds(feeds: NamedTensors, inputs: readonly Port[]): Record<string, Tensor> {
  const unknown = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name))
  if (unknown !== undefined)
    throw feedError(unknown, `The model has no input "${unknown}".`, { expected: inputs.map(({ name }) => name), found: unknown })
  return Object.fromEntries(inputs.map((input) => [input.name, toFeed(feeds[input.name], input)]))
}

function toFeed(feed: RuntimeTensor | undefined, { name, type, shape }: Port): Tensor {
  if (feed === undefined) throw feedError(name, `Input "${name}" is missing.`, { expected: type })
  if (feed.type !== type)
    throw feedError(name, `Input "${name}" must be ${type}, found ${feed.type}.`, { expected: type, found: feed.type })
  const fits = feed.dims.length === shape.length && shape.every((dim, axis) => typeof dim !== 'number' || dim === feed.dims[axis])
  if (!fits) {
    const expected = shape.map((dim) => dim ?? '?').join(',')
    throw feedError(name, `Input "${name}" must have shape [${expected}], found [${feed.dims.join(',')}].`, {
      expected: shape,
      found: feed.dims,
    })
  }
  if (feed.values.length !== elementCount(feed.dims)) {
    const message = `Input "${name}" has ${feed.values.length} values, its shape [${feed.dims.join(',')}] needs ${elementCount(feed.dims)}.`
    throw feedError(name, message, { expected: elementCount(feed.dims), found: feed.values.length })
  }
  return toTensor(feed)
}

function toTensor({ type, values, dims }: RuntimeTensor): Tensor {
  // The constructor's overloads pair each type name with its array; RuntimeTensor keeps that pairing by convention.
  const Construct = Tensor as unknown as new (type: string, values: TensorValues, dims: readonly number[]) => Tensor
  return new Construct(type, values, dims)
}

/** A tensor ONNX Runtime gave back; float16 always as its 16 bits, also where the engine has Float16Array. */
export function fromTensor(tensor: Tensor): RuntimeTensor {
  const values = tensor.data as TensorValues
  if (tensor.type !== 'float16' || values instanceof Uint16Array) return { type: tensor.type, dims: tensor.dims, values }
  const { buffer, byteOffset, length } = values as unknown as Uint16Array
  return { type: 'float16', dims: tensor.dims, values: new Uint16Array(buffer, byteOffset, length) }
}

function feedError(input: string, message: string, details: Readonly<Record<string, unknown>>): EdgesmithError {
  return new EdgesmithError('MODEL_RUN_FAILED', message, {
    hint: 'Give exactly the inputs the model declares; `edgesmith inspect` lists them.',
    details: { input, ...details },
  })
}
