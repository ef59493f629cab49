import { hasArithmetic, isIdentity } from '../../../core/datasets/preprocess.ts'
import type { Port } from '../../../core/inference-runtime.ts'
import type { ElementType } from '../../../core/onnx/data-types.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import { elementFormats, jsonValueSchema } from '../element-types.ts'
import type { InputFields } from '../input-fields.ts'
import type { SampleInput } from '../model-signature.ts'
import { sentType } from '../sample-reader.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

type Dims = readonly (number | undefined)[]

/** Samples with more values than this are described as a whole, not value by value. */
const MOST_DESCRIBED_VALUES = 4096
/** Longer lists are empty in examples: nobody reads them, and a page that shows the document takes minutes to lay them out. */
const MOST_EXAMPLE_VALUES = 2000

/** Whether examples show a list of these sizes as an empty one. */
export function isTooLongToShow(dims: readonly number[]): boolean {
  return elementCount(dims) > MOST_EXAMPLE_VALUES
}

/**
 * One input of one sample: nested lists, the same with a batch of 1 around, or one flat list.
 * @param preprocessed the values are the model's, not those before preprocessing
 */
export function inputSchema(input: SampleInput, preprocessed: boolean): JsonSchema {
  const { port, batched, sampleShape, sentShape, steps, fields } = input
  const raw = preprocessed || isIdentity(steps)
  const dims = raw ? sampleShape : sentShape
  const type = raw ? port.type : sentType(port.type, hasArithmetic(steps))
  const ranged = fields && (!preprocessed || isIdentity(steps)) ? fields : undefined
  const nested = listSchema(dims, type, ranged)
  const forms = [nested]
  if (batched) forms.push({ type: 'array', minItems: 1, maxItems: 1, items: nested })
  const sizes = dims.filter((dim) => dim !== undefined)
  // Of several open sizes a flat list does not say which is which.
  if (dims.length !== 1 && dims.length - sizes.length <= 1 && !(dims.length === 0 && batched)) {
    forms.push(sizes.length === dims.length ? listSchema([elementCount(sizes)], type, ranged) : listSchema([undefined], type, undefined))
  }
  return forms.length === 1 ? nested : { anyOf: forms }
}

/** The values of a sample by name, over all inputs. */
export function namedFieldsSchema(inputs: readonly SampleInput[]): JsonSchema {
  const properties = inputs.flatMap(({ port, steps, fields }) => {
    const type = sentType(port.type, hasArithmetic(steps))
    return [...(fields?.byIndex.keys() ?? [])].map((index) => {
      const name = fields?.byIndex.get(index)?.name as string
      return [name, valueSchema(type, fields, index)] as const
    })
  })
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: properties.map(([name]) => name),
    additionalProperties: false,
  }
}

/** One output of one sample. Sizes the model does not say, and all where it does not say how many dimensions there are, are left open. */
export function outputSchema({ type, shape }: Port, hasRows: boolean): JsonSchema {
  const value = jsonValueSchema(type)
  // ONNX Runtime says [] for "nothing is known" too.
  if (shape.length === 0) return {}
  const dims = hasRows ? shape.slice(1) : [undefined, ...shape.slice(1)]
  const schema = dims.reduceRight<JsonSchema>((items, dim) => sized(items, typeof dim === 'number' ? dim : undefined, 0), value)
  return isTooLongToShow(dims.filter((dim) => typeof dim === 'number')) ? { ...schema, examples: [[]] } : schema
}

/** Values of an input as the protocol takes them: flat, or nested in all its dimensions. */
export function tensorDataSchema({ type, shape }: Port): JsonSchema {
  const value = elementFormats[type]?.schema ?? {}
  const dims = shape.map((dim) => (typeof dim === 'number' ? dim : undefined))
  const nested = dims.reduceRight<JsonSchema>((items, dim) => sized(items, dim, 1), value)
  const isKnown = dims.every((dim) => dim !== undefined)
  const flat = sized(value, isKnown ? elementCount(dims as number[]) : undefined, 1)
  return dims.length > 1 ? { anyOf: [flat, nested] } : flat
}

function listSchema(dims: Dims, type: ElementType, fields: InputFields | undefined): JsonSchema {
  const count = elementCount(dims.map((dim) => dim ?? 1))
  const each = fields !== undefined && count <= MOST_DESCRIBED_VALUES ? fields : undefined
  const build = (axis: number, first: number): JsonSchema => {
    const dim = dims[axis]
    if (axis === dims.length) return valueSchema(type, each, first)
    if (each === undefined || dim === undefined) return sized(build(axis + 1, 0), dim, 1)
    const step = elementCount(dims.slice(axis + 1).map((size) => size ?? 1))
    const prefixItems = Array.from({ length: dim }, (_, index) => build(axis + 1, first + index * step))
    return { type: 'array', prefixItems, items: false, minItems: dim, maxItems: dim }
  }
  return build(0, 0)
}

function sized(items: JsonSchema, dim: number | undefined, minItems: number): JsonSchema {
  return dim === undefined
    ? { type: 'array', items, ...(minItems > 0 ? { minItems } : {}) }
    : { type: 'array', items, minItems: dim, maxItems: dim }
}

function valueSchema(type: ElementType, fields: InputFields | undefined, index: number): JsonSchema {
  const schema = elementFormats[type]?.schema ?? {}
  const field = fields?.byIndex.get(index)
  if (!field) return schema
  const { name, min, max } = field
  const bounds = schema as { minimum?: number; maximum?: number }
  return {
    title: name,
    ...schema,
    ...(min === null ? {} : { minimum: Math.max(min, bounds.minimum ?? min) }),
    ...(max === null ? {} : { maximum: Math.min(max, bounds.maximum ?? max) }),
  }
}
