import type { ServiceField } from '../../../contract/service.ts'
import { hasArithmetic, isIdentity } from '../../../core/datasets/preprocess.ts'
import type { ElementType } from '../../../core/onnx/data-types.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import type { ModelSignature, SampleInput } from '../model-signature.ts'
import { sentType } from '../sample-reader.ts'
import { datatypeOf } from './protocol-schemas.ts'
import { isTooLongToShow, type JsonSchema } from './value-schemas.ts'

/** Bodies that the model takes as they are: zeros, or what is next to it in range; sizes that are open are 1. */
export function requestExamples({ inputs }: ModelSignature): { readonly [body in 'predict' | 'batch' | 'infer']: JsonSchema } {
  const sample = Object.fromEntries(inputs.map((input) => [input.port.name, sentValues(input)]))
  return { predict: { inputs: sample }, batch: { inputs: [sample] }, infer: { inputs: inputs.map(tensor) } }
}

function sentValues({ port, sampleShape, sentShape, steps, fields }: SampleInput): unknown {
  const dims = closed(isIdentity(steps) ? sampleShape : sentShape)
  return listOf(dims, sentType(port.type, hasArithmetic(steps)), (index) => fields?.byIndex.get(index))
}

function tensor({ port, sampleShape, steps, fields }: SampleInput): JsonSchema {
  const shape = closed(port.shape)
  const known = isIdentity(steps) ? fields?.byIndex : undefined
  const valuesOfSample = elementCount(closed(sampleShape))
  const data = listOf(shape, port.type, (index) => known?.get(index % valuesOfSample))
  // A tensor without dimensions has one value in a list all the same.
  return { name: port.name, shape, datatype: datatypeOf(port), data: shape.length === 0 ? [data] : data }
}

function closed(dims: readonly (number | string | undefined)[]): number[] {
  return dims.map((dim) => (typeof dim === 'number' ? dim : 1))
}

function listOf(dims: readonly number[], type: ElementType, fieldAt: (index: number) => ServiceField | undefined): unknown {
  if (isTooLongToShow(dims)) return []
  let next = 0
  const build = (axis: number): unknown =>
    axis === dims.length ? exampleValue(type, fieldAt(next++)) : Array.from({ length: dims[axis] as number }, () => build(axis + 1))
  return build(0)
}

function exampleValue(type: ElementType, field: ServiceField | undefined): unknown {
  if (type === 'string') return ''
  if (type === 'bool') return false
  const nearest = Math.min(Math.max(0, field?.min ?? 0), field?.max ?? Number.POSITIVE_INFINITY)
  return type.startsWith('float') ? nearest : nearest > 0 ? Math.ceil(nearest) : Math.floor(nearest)
}
