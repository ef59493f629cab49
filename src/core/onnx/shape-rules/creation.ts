import { elementTypeName } from '../data-types.ts'
import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import type { Dim } from '../shapes.ts'

function shapeOp(call: OpCall): OutputFacts {
  const rank = call.shape(0)?.length
  if (rank === undefined) return [{ type: 'int64' }]
  const clamp = (value: number) => Math.min(Math.max(value < 0 ? value + rank : value, 0), rank)
  const start = clamp(call.int('start', 0))
  return [{ type: 'int64', shape: [Math.max(0, clamp(call.int('end', rank)) - start)] }]
}

function size(): OutputFacts {
  return [{ type: 'int64', shape: [] }]
}

function constantOfShape(call: OpCall): OutputFacts {
  const value = call.attribute('value')?.t
  const type = value ? elementTypeName(value.dataType) : 'float32'
  const dims = call.values(0)
  return [{ type, shape: dims?.every((dim) => typeof dim !== 'number' || dim >= 0) ? dims : undefined }]
}

function range(call: OpCall): OutputFacts {
  const type = call.type(0)
  const [start, limit, delta] = [call.scalar(0), call.scalar(1), call.scalar(2)]
  let count: Dim
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number' && delta !== 0)
    count = Math.max(0, Math.ceil((limit - start) / delta))
  else if (start === 0 && delta === 1) count = limit
  return [{ type, shape: [count] }]
}

/** RandomNormal, RandomUniform: the shape is an attribute. */
function random(call: OpCall): OutputFacts {
  return [{ type: elementTypeName(call.int('dtype', 1)), shape: call.ints('shape') }]
}

function like(call: OpCall): OutputFacts {
  return [{ type: elementTypeName(call.int('dtype', 0)) ?? call.type(0), shape: call.shape(0) }]
}

function multinomial(call: OpCall): OutputFacts {
  const batch = call.shape(0)?.[0]
  return [{ type: elementTypeName(call.int('dtype', 6)), shape: [batch, call.int('sample_size', 1)] }]
}

/** Operators that make tensors, or tell a tensor's shape. Constants are read where they stand, see constant-facts.ts. */
export const creationRules: Readonly<Record<string, ShapeRule>> = {
  Shape: shapeOp,
  Size: size,
  ConstantOfShape: constantOfShape,
  Range: range,
  RandomNormal: random,
  RandomUniform: random,
  RandomNormalLike: like,
  RandomUniformLike: like,
  Bernoulli: like,
  EyeLike: like,
  Multinomial: multinomial,
}
