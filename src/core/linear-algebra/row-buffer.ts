import type { InferenceRuntime, LoadedModel } from '../inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../onnx/builders.ts'
import { encodeModel } from '../onnx/model-file.ts'

/**
 * Multiplies rows collected over several runs: rowsᵀ·rows of one row alone would cost as much copying as the product of a
 * thousand. ONNX Runtime multiplies; one loaded model serves rows of all lengths.
 */
export class RowMultiplier {
  private readonly runtime: InferenceRuntime
  private loaded: LoadedModel | undefined

  constructor(runtime: InferenceRuntime) {
    this.runtime = runtime
  }

  /** xᵀ·x, [size, size], of x [rows, size] */
  async multiply(values: Float32Array, size: number): Promise<Float32Array> {
    this.loaded ??= await this.runtime.load(encodeModel(productModel()))
    const results = await this.loaded.run({ x: { type: 'float32', dims: [values.length / size, size], values } })
    return results.products!.values as Float32Array
  }

  async close(): Promise<void> {
    await this.loaded?.close()
    this.loaded = undefined
  }
}

function productModel() {
  return makeModel({
    nodes: [
      makeNode('Transpose', ['x'], ['turned'], { perm: [1, 0] }, { name: 'turn' }),
      makeNode('MatMul', ['turned', 'x'], ['products'], {}, { name: 'multiply' }),
    ],
    inputs: [makeValueInfo('x', 'float32', ['rows', 'size'])],
    outputs: [makeValueInfo('products', 'float32', ['size', 'size'])],
  })
}

/** Rows of one length, in the order they came. */
export class RowBuffer {
  private readonly size: number
  private parts: Float32Array[] = []
  private count = 0

  constructor(size: number) {
    this.size = size
  }

  get rows(): number {
    return this.count / this.size
  }

  add(values: Float32Array): void {
    this.parts.push(values)
    this.count += values.length
  }

  /** All rows as one matrix; the buffer is empty afterwards. */
  take(): Float32Array {
    const all = new Float32Array(this.count)
    let offset = 0
    for (const part of this.parts) {
      all.set(part, offset)
      offset += part.length
    }
    ;[this.parts, this.count] = [[], 0]
    return all
  }
}
