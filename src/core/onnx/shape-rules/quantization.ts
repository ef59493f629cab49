import { elementTypeName } from '../data-types.ts'
import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'

function quantizeLinear(call: OpCall): OutputFacts {
  const asked = elementTypeName(call.int('output_dtype', 0))
  return [{ type: asked ?? (call.has(2) ? call.type(2) : 'uint8'), shape: call.shape(0) }]
}

function dequantizeLinear(call: OpCall): OutputFacts {
  return [{ type: elementTypeName(call.int('output_dtype', 0)) ?? call.type(1), shape: call.shape(0) }]
}

function dynamicQuantizeLinear(call: OpCall): OutputFacts {
  return [
    { type: 'uint8', shape: call.shape(0) },
    { type: 'float32', shape: [] },
    { type: 'uint8', shape: [] },
  ]
}

function cast(call: OpCall): OutputFacts {
  return [{ type: elementTypeName(call.int('to', 0)), shape: call.shape(0) }]
}

function castLike(call: OpCall): OutputFacts {
  return [{ type: call.type(1), shape: call.shape(0) }]
}

/** Changes of the element type. */
export const quantizationRules: Readonly<Record<string, ShapeRule>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantizeLinear: dynamicQuantizeLinear,
  'com.microsoft.QuantizeLinear': quantizeLinear,
  'com.microsoft.DequantizeLinear': dequantizeLinear,
  Cast: cast,
  CastLike: castLike,
}
