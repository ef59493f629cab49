import { type AttributeValue, makeModel, makeNode, makeValueInfo } from '../../../src/core/onnx/builders.ts'
import type { ElementType } from '../../../src/core/onnx/data-types.ts'
import { encodeModel } from '../../../src/core/onnx/model-file.ts'
import { makeInt64, makeTensor } from '../../../src/core/onnx/tensor-values.ts'

type Shape = readonly (number | string)[]

/** A model of one operator from one input "x" to one output "y". */
export function oneNodeModel(
  op: string,
  input: { type: ElementType; shape: Shape },
  output: { type: ElementType; shape: Shape },
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode(op, ['x'], ['y'], attributes)],
      inputs: [makeValueInfo('x', input.type, input.shape)],
      outputs: [makeValueInfo('y', output.type, output.shape)],
    }),
  )
}

/** Gives its input back: [batch, …shape] float32 "x" to "y". */
export function identityModel(batch: number | string, shape: readonly number[], type: ElementType = 'float32'): Uint8Array {
  return oneNodeModel('Identity', { type, shape: [batch, ...shape] }, { type, shape: [batch, ...shape] })
}

/** y = x · weights for one layer [batch, from] to [batch, to], weights row by row. */
export function linearModel(batch: number | string, weights: readonly (readonly number[])[]): Uint8Array {
  const [from, to] = [weights.length, weights[0]?.length ?? 0]
  return encodeModel(
    makeModel({
      nodes: [makeNode('MatMul', ['x', 'w'], ['y'])],
      inputs: [makeValueInfo('x', 'float32', [batch, from])],
      outputs: [makeValueInfo('y', 'float32', [batch, to])],
      initializers: [makeTensor('w', 'float32', [from, to], Float32Array.from(weights.flat()))],
    }),
  )
}

/**
 * Several inputs of several types: a [N,2] float32, ids [N,S] int64 (rows of a table of 4), flag [N] bool. Outputs: sum [N] float32 =
 * Σa + Σ table[ids] (table value = id × 10), flag [N] as given.
 */
export function multiInputModel(): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [
        makeNode('Gather', ['table', 'ids'], ['picked']),
        makeNode('ReduceSum', ['picked', 'axis'], ['pickedSum'], { keepdims: 0 }),
        makeNode('ReduceSum', ['a', 'axis'], ['aSum'], { keepdims: 0 }),
        makeNode('Add', ['pickedSum', 'aSum'], ['sum']),
        makeNode('Identity', ['flag'], ['same']),
      ],
      inputs: [makeValueInfo('a', 'float32', ['N', 2]), makeValueInfo('ids', 'int64', ['N', 'S']), makeValueInfo('flag', 'bool', ['N'])],
      outputs: [makeValueInfo('sum', 'float32', ['N']), makeValueInfo('same', 'bool', ['N'])],
      initializers: [makeTensor('table', 'float32', [4], Float32Array.of(0, 10, 20, 30)), makeInt64('axis', [1], [1])],
    }),
  )
}

/** Slow on purpose: `layers` products of [size, size] matrices, some milliseconds each at size 512. */
export function slowModel(size: number, layers: number): Uint8Array {
  const names = Array.from({ length: layers + 1 }, (_, i) => (i === 0 ? 'x' : i === layers ? 'y' : `h${i}`))
  return encodeModel(
    makeModel({
      nodes: names.slice(1).map((name, i) => makeNode('MatMul', [names[i] as string, 'w'], [name])),
      inputs: [makeValueInfo('x', 'float32', ['N', size, size])],
      outputs: [makeValueInfo('y', 'float32', ['N', size, size])],
      initializers: [makeTensor('w', 'float32', [size, size], new Float32Array(size * size).fill(1 / size))],
    }),
  )
}

/** Looks "x" [N] int64 up in a table of `rows` rows: larger indices load well and fail in the run. Output "y" [N] float32, y = 10 × x. */
export function lookUpModel(rows: number): Uint8Array {
  return encodeModel(
    makeModel({
      nodes: [makeNode('Gather', ['table', 'x'], ['y'])],
      inputs: [makeValueInfo('x', 'int64', ['N'])],
      outputs: [makeValueInfo('y', 'float32', ['N'])],
      initializers: [
        makeTensor(
          'table',
          'float32',
          [rows],
          Float32Array.from({ length: rows }, (_, i) => 10 * i),
        ),
      ],
    }),
  )
}
