import { makeNode } from '../onnx/builders.ts'
import type { Graph } from '../onnx/graph.ts'
import { makeTensor } from '../onnx/tensor-values.ts'

/** An integer tensor with the scales that give its real values back. */
export interface QuantizedConstant {
  readonly values: Int8Array | Uint8Array | Int32Array
  readonly dims: readonly number[]
  /** One for each index along `axis`, or a single one. */
  readonly scales: Float32Array
  readonly axis: number
  /** Left out of the graph when not given: it is 0 then. Weights need one, several kernels of ONNX Runtime ask for it. */
  readonly zeroPoint?: number
}

/**
 * Puts integer tensors, their scales and zero points into a graph, each with a DequantizeLinear. The same constant quantized
 * in the same way (weights that several nodes share) is stored once.
 */
export class QuantizedConstants {
  private readonly graph: Graph
  private count = 0
  private readonly stored = new Map<string, { readonly constant: QuantizedConstant; readonly output: string }[]>()

  constructor(graph: Graph) {
    this.graph = graph
  }

  /** @returns the float tensor that stands for the float constant `name` from now on */
  add(name: string, constant: QuantizedConstant): string {
    const others = this.stored.get(name) ?? []
    const same = others.find((other) => sameConstant(other.constant, constant))
    if (same) return same.output
    const output = this.store(name, constant)
    this.stored.set(name, [...others, { constant, output }])
    return output
  }

  private store(name: string, { values, dims, scales, axis, zeroPoint }: QuantizedConstant): string {
    const { graph } = this
    const perChannel = scales.length > 1
    const scaleDims = perChannel ? [scales.length] : []
    const type = values instanceof Int8Array ? 'int8' : values instanceof Uint8Array ? 'uint8' : 'int32'
    const number = this.count++
    const inputs = [graph.freshName(`${name}_quantized`), graph.freshName(`c_${number}_s`)] as [string, string]
    graph.addInitializer(makeTensor(inputs[0], type, dims, values))
    graph.addInitializer(makeTensor(inputs[1], 'float32', scaleDims, scales))
    const zeroInput = zeroPoint === undefined ? [] : [graph.freshName(`c_${number}_z`)]
    for (const zero of zeroInput) {
      const zeroPoints = new (values.constructor as Int8ArrayConstructor)(scales.length).fill(zeroPoint!)
      graph.addInitializer(makeTensor(zero, type, scaleDims, zeroPoints))
    }
    const output = graph.freshName(`c_${number}`)
    const node = makeNode('DequantizeLinear', [...inputs, ...zeroInput], [output], perChannel ? { axis } : {}, {
      name: graph.freshName(`DQ_c_${number}`),
    })
    graph.insertNodes([node], graph.nodes[0])
    return output
  }
}

function sameConstant(a: QuantizedConstant, b: QuantizedConstant): boolean {
  return a.axis === b.axis && a.zeroPoint === b.zeroPoint && sameValues(a.scales, b.scales) && sameValues(a.values, b.values)
}

function sameValues(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}
