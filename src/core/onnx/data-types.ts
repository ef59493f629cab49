import { TensorProto_DataType as T } from 'onnx-buf'

/** ONNX element types by their lower-case name, as ONNX Runtime and NumPy users know them. */
export type ElementType =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'bool'
  | 'string'
  | 'int4'
  | 'uint4'
  | 'int2'
  | 'uint2'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'float8e8m0'
  | 'float4e2m1'
  | 'complex64'
  | 'complex128'

interface TypeFacts {
  readonly name: ElementType
  /** Bits of one element as stored in `raw_data`; strings have no fixed size. */
  readonly bits: number | undefined
}

const facts: ReadonlyMap<number, TypeFacts> = new Map<number, TypeFacts>([
  [T.FLOAT, { name: 'float32', bits: 32 }],
  [T.FLOAT16, { name: 'float16', bits: 16 }],
  [T.BFLOAT16, { name: 'bfloat16', bits: 16 }],
  [T.DOUBLE, { name: 'float64', bits: 64 }],
  [T.INT8, { name: 'int8', bits: 8 }],
  [T.UINT8, { name: 'uint8', bits: 8 }],
  [T.INT16, { name: 'int16', bits: 16 }],
  [T.UINT16, { name: 'uint16', bits: 16 }],
  [T.INT32, { name: 'int32', bits: 32 }],
  [T.UINT32, { name: 'uint32', bits: 32 }],
  [T.INT64, { name: 'int64', bits: 64 }],
  [T.UINT64, { name: 'uint64', bits: 64 }],
  [T.BOOL, { name: 'bool', bits: 8 }],
  [T.STRING, { name: 'string', bits: undefined }],
  [T.INT4, { name: 'int4', bits: 4 }],
  [T.UINT4, { name: 'uint4', bits: 4 }],
  [T.INT2, { name: 'int2', bits: 2 }],
  [T.UINT2, { name: 'uint2', bits: 2 }],
  [T.FLOAT8E4M3FN, { name: 'float8e4m3fn', bits: 8 }],
  [T.FLOAT8E4M3FNUZ, { name: 'float8e4m3fnuz', bits: 8 }],
  [T.FLOAT8E5M2, { name: 'float8e5m2', bits: 8 }],
  [T.FLOAT8E5M2FNUZ, { name: 'float8e5m2fnuz', bits: 8 }],
  [T.FLOAT8E8M0, { name: 'float8e8m0', bits: 8 }],
  [T.FLOAT4E2M1, { name: 'float4e2m1', bits: 4 }],
  [T.COMPLEX64, { name: 'complex64', bits: 64 }],
  [T.COMPLEX128, { name: 'complex128', bits: 128 }],
])

const numbers: ReadonlyMap<ElementType, number> = new Map([...facts].map(([number, { name }]) => [name, number]))

/** Name of an ONNX `TensorProto.DataType` number, or `undefined` for one this ONNX version does not know. */
export function elementTypeName(dataType: number): ElementType | undefined {
  return facts.get(dataType)?.name
}

/** ONNX `TensorProto.DataType` number of an element type. */
export function elementTypeNumber(name: ElementType): number {
  const number = numbers.get(name)
  if (number === undefined) throw new Error(`unknown element type ${name}`)
  return number
}

/** Bytes that `elements` elements take in `raw_data` (4-bit types are packed two to a byte), `undefined` for strings. */
export function storedBytes(dataType: number, elements: number): number | undefined {
  const bits = facts.get(dataType)?.bits
  return bits === undefined ? undefined : Math.ceil((bits * elements) / 8)
}
