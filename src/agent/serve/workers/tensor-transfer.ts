import type { NamedTensors, RuntimeTensor } from '../../../core/inference-runtime.ts'

/** Tensors for another thread, with the memory that goes there: the sender cannot read it afterwards. */
interface Transfer {
  readonly tensors: NamedTensors
  readonly memory: ArrayBuffer[]
}

/**
 * Copies tensors once and hands the copies over. Without that a message would be copied twice, each time with the whole memory that a view
 * looks into, and a row of a batch is such a view. What was given stays readable: observers see it after the answer.
 */
export function copiedTensors(tensors: NamedTensors): Transfer {
  return transfer(tensors, ({ values, ...rest }) => ({ ...rest, values: Array.isArray(values) ? values : values.slice() }))
}

/** Hands tensors over that nobody reads any more; those that look into a part of their memory are copied. */
export function givenTensors(tensors: NamedTensors): Transfer {
  return transfer(tensors, (tensor) => {
    const { values } = tensor
    const isWhole = !ArrayBuffer.isView(values) || values.byteLength === values.buffer.byteLength
    return isWhole ? tensor : { ...tensor, values: (values as Float32Array).slice() }
  })
}

function transfer(tensors: NamedTensors, own: (tensor: RuntimeTensor) => RuntimeTensor): Transfer {
  const owned = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, own(tensor)]))
  const memory = new Set<ArrayBuffer>()
  for (const { values } of Object.values(owned)) {
    if (ArrayBuffer.isView(values) && values.buffer instanceof ArrayBuffer) memory.add(values.buffer)
  }
  return { tensors: owned, memory: [...memory] }
}
