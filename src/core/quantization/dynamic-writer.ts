import { type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { FidelityAccumulator } from '../metrics/fidelity.ts'
import { makeNode } from '../onnx/builders.ts'
import type { Graph } from '../onnx/graph.ts'
import { makeTensor } from '../onnx/tensor-values.ts'

/** What rounding did to a tensor of weights: 20·log10(‖w‖ / ‖w − ŵ‖); null when nothing was lost. */
export interface WeightLoss {
  readonly node: string
  readonly op: string
  readonly tensor: string
  readonly sqnrDb: number | null
}

/** Weights in 8 bits: real = scale × (value − zero point). */
export interface StoredWeights {
  /** Names of values, scales and zero points. */
  readonly names: readonly [string, string, string]
  readonly sqnrDb: number | null
}

/** Values, scales and zero points as they go into the file. */
export interface WeightValues {
  readonly values: Int8Array | Uint8Array
  readonly dims: readonly number[]
  readonly scales: Float32Array
  readonly scaleDims: readonly number[]
  /** Of the scales' shape unless `zeroPointDims` says another. */
  readonly zeroPoint: number
  readonly zeroPointDims?: readonly number[]
  readonly sqnrDb: number | null
}

/** Writes what operators in 8 bits have in common, into whatever graph they stand in. */
export class DynamicWriter {
  private readonly activations = new Map<Graph, Map<string, readonly [string, string, string]>>()
  private readonly weights = new Map<Graph, Map<string, StoredWeights>>()

  /**
   * Names of value (uint8), scale and zero point of an activation, quantized while the model runs: once for all its readers in a
   * graph and the bodies in it.
   */
  quantizedActivation(graph: Graph, tensor: string): readonly [string, string, string] {
    for (let around: Graph | undefined = graph; around; around = around.parent) {
      const known = this.activations.get(around)?.get(tensor)
      if (known) return known
      if (around.producer(tensor) || around.isGraphInput(tensor)) break
    }
    const names = [
      graph.freshName(`${tensor}_quantized`),
      graph.freshName(`${tensor}_scale`),
      graph.freshName(`${tensor}_zero_point`),
    ] as const
    graph.insertNodes([
      makeNode('DynamicQuantizeLinear', [tensor], names, {}, { name: graph.freshName(`${tensor}_DynamicQuantizeLinear`) }),
    ])
    rowOf(this.activations, graph).set(tensor, names)
    return names
  }

  /**
   * Stores quantized weights in the graph that holds the float ones, once for all nodes that take them in the same form.
   * @param form what makes the values differ from others made of the same tensor
   */
  storedWeights(graph: Graph, tensor: string, form: string, make: () => WeightValues): StoredWeights {
    const owner = ownerOf(graph, tensor)
    const known = this.weights.get(owner)?.get(`${tensor} ${form}`)
    if (known) return known
    const { values, dims, scales, scaleDims, zeroPoint, zeroPointDims = scaleDims, sqnrDb } = make()
    const type = values instanceof Int8Array ? 'int8' : 'uint8'
    const names = ['quantized', 'scale', 'zero_point'].map((part) => owner.freshName(`${tensor}_${part}`)) as [string, string, string]
    const points = new (values.constructor as Int8ArrayConstructor)(zeroPointDims.reduce((product, dim) => product * dim, 1))
    owner.addInitializer(makeTensor(names[0], type, dims, values))
    owner.addInitializer(makeTensor(names[1], 'float32', scaleDims, scales))
    owner.addInitializer(makeTensor(names[2], type, zeroPointDims, points.fill(zeroPoint)))
    const stored = { names, sqnrDb }
    rowOf(this.weights, owner).set(`${tensor} ${form}`, stored)
    return stored
  }

  /**
   * int32 sums to float32: Cast → Mul by both scales (→ Add of a bias), in the form that ONNX Runtime fuses with what is before.
   * @param bias name of what is added, of a shape that broadcasts
   */
  toFloat(graph: Graph, sums: string, scales: readonly [string, string], bias: string | undefined, output: string): NodeProto[] {
    const fresh = (part: string): string => graph.freshName(`${output}_${part}`)
    const [cast, scale, product] = [fresh('sums'), fresh('scales'), bias === undefined ? output : fresh('product')]
    const nodes = [
      makeNode('Cast', [sums], [cast], { to: TensorProto_DataType.FLOAT }, { name: fresh('Cast') }),
      makeNode('Mul', scales, [scale], {}, { name: fresh('Mul_scales') }),
      makeNode('Mul', [cast, scale], [product], {}, { name: fresh('Mul') }),
    ]
    return bias === undefined ? nodes : [...nodes, makeNode('Add', [product, bias], [output], {}, { name: fresh('Add') })]
  }
}

/** The graph that holds a constant: this one, or one around it. */
function ownerOf(graph: Graph, tensor: string): Graph {
  for (let around: Graph | undefined = graph; around; around = around.parent) if (around.initializer(tensor)) return around
  return graph
}

function rowOf<V>(table: Map<Graph, Map<string, V>>, graph: Graph): Map<string, V> {
  const known = table.get(graph)
  if (known) return known
  const row = new Map<string, V>()
  table.set(graph, row)
  return row
}

/** Signal to noise of values restored by `restore` from their place. */
export function roundingLossDb(values: Float32Array, restore: (index: number) => number): number | null {
  const fidelity = new FidelityAccumulator()
  fidelity.add(
    values,
    Float32Array.from(values, (_, index) => restore(index)),
  )
  return fidelity.result().sqnrDb
}

/** Why a tensor can be no weights in 8 bits; `undefined` when it can. */
export function weightProblem(tensor: TensorProto | undefined, finite: (tensor: TensorProto) => boolean): string | undefined {
  if (!tensor) return 'its weights are computed while the model runs'
  if (tensor.dataType !== TensorProto_DataType.FLOAT) return 'its weights are not float32'
  if (tensor.dims.some((dim) => dim === 0n)) return 'its weights are empty'
  return finite(tensor) ? undefined : 'its weights hold NaN or infinity'
}
