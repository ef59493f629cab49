import type { ModelProto } from 'onnx-buf'

/**
 * A copy of a model that can be edited without changing the original. Byte arrays (the values of tensors, nearly all of a
 * model's size) are shared by both: replace them, never write into them.
 */
export function cloneModel(model: ModelProto): ModelProto {
  return copied(model) as ModelProto
}

function copied(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  if (Array.isArray(value)) return value.map(copied)
  // Messages carry the defaults of their fields in their prototype.
  const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>
  for (const [key, entry] of Object.entries(value)) copy[key] = copied(entry)
  return copy
}
