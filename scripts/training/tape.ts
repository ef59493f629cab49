import type { ModelProto, NodeProto, TensorProto } from 'onnx-buf'
import { type AttributeValue, makeModel, makeNode, makeValueInfo } from '../../src/core/onnx/builders.ts'
import { makeInt64, makeTensor } from '../../src/core/onnx/tensor-values.ts'

/** A float32 tensor inside a graph being built: its name and its shape, every dimension known. */
export interface Value {
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * Gradient rule of one recorded operation: from the gradient of the loss with respect to the operation's output to the
 * gradients with respect to its inputs, in the order of the inputs. `undefined`: that input gets none (a constant).
 */
export type Backward = (outputGradient: Value) => readonly (Value | undefined)[]

interface Entry {
  readonly output: Value
  readonly inputs: readonly Value[]
  readonly backward: Backward
}

/**
 * Reverse-mode automatic differentiation that builds an ONNX graph: operations write their forward nodes with
 * {@link emit} and leave their gradient rule with {@link record}; {@link gradients} walks the rules backwards and writes
 * the backward nodes into the same graph. ONNX Runtime then runs both as one ordinary model.
 */
export class Tape {
  private readonly nodes: NodeProto[] = []
  private readonly initializers: TensorProto[] = []
  private readonly inputs: Value[] = []
  private readonly entries: Entry[] = []
  private counter = 0

  /** Declares a graph input. */
  input(name: string, shape: readonly number[]): Value {
    const value = { name, shape }
    this.inputs.push(value)
    return value
  }

  /** A float32 constant; one number stands for a scalar. */
  constant(values: number | Float32Array, shape: readonly number[] = []): Value {
    const name = this.freshName('constant')
    this.initializers.push(makeTensor(name, 'float32', shape, typeof values === 'number' ? Float32Array.of(values) : values))
    return { name, shape }
  }

  /** An int64 vector, the form in which ONNX takes shapes, axes and offsets. */
  integers(values: readonly number[]): Value {
    const name = this.freshName('integers')
    this.initializers.push(makeInt64(name, [values.length], values))
    return { name, shape: [values.length] }
  }

  /** Writes a node with one output of the given shape. */
  emit(
    opType: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value {
    const [output] = this.emitSeveral(opType, inputs, [shape], attributes)
    return output as Value
  }

  /** Writes a node with several outputs. */
  emitSeveral(
    opType: string,
    inputs: readonly Value[],
    shapes: readonly (readonly number[])[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): Value[] {
    const name = this.freshName(opType)
    const outputs = shapes.map((shape, index) => ({ name: index === 0 ? name : `${name}:${index}`, shape }))
    const names = (values: readonly Value[]) => values.map((value) => value.name)
    this.nodes.push(makeNode(opType, names(inputs), names(outputs), attributes, { name }))
    return outputs
  }

  /** Leaves the gradient rule of an operation that made `output` from `inputs`; returns `output`. */
  record(output: Value, inputs: readonly Value[], backward: Backward): Value {
    this.entries.push({ output, inputs, backward })
    return output
  }

  /**
   * Writes the backward graph.
   *
   * @param output what is differentiated, usually the scalar loss
   * @param wanted the values whose gradients are returned, in this order
   * @param seed gradient with respect to `output` (its shape); default all ones
   * @throws Error when a wanted value has no influence on `output` (a bug in the network's definition)
   */
  gradients(output: Value, wanted: readonly Value[], seed: Value = this.ones(output.shape)): Value[] {
    const gradients = new Map<string, Value>([[output.name, seed]])
    for (const entry of this.entries.toReversed()) {
      const gradient = gradients.get(entry.output.name)
      if (!gradient) continue
      const parts = entry.backward(gradient)
      for (const [index, input] of entry.inputs.entries()) {
        const part = parts[index]
        if (!part) continue
        if (part.shape.join() !== input.shape.join()) {
          throw new Error(`gradient of ${input.name} has shape [${part.shape}], the value has [${input.shape}]`)
        }
        const sum = gradients.get(input.name)
        // A value read twice (a residual connection) gets the sum of what comes back from its readers.
        gradients.set(input.name, sum ? this.emit('Add', [sum, part], input.shape) : part)
      }
    }
    return wanted.map((value) => {
      const gradient = gradients.get(value.name)
      if (!gradient) throw new Error(`${value.name} has no influence on ${output.name}`)
      return gradient
    })
  }

  /**
   * The model that computes `outputs`, under the names given as keys. Nodes that do not contribute are left out (for
   * example the gradient with respect to the images), so gradient rules need not care who asks for what.
   */
  model(outputs: Readonly<Record<string, Value>>, opset = 17): ModelProto {
    const named = Object.entries(outputs)
    const renames = named.map(([name, value]) => makeNode('Identity', [value.name], [name], {}, { name: `output ${name}` }))
    const needed = new Set(named.map(([, value]) => value.name))
    const used: NodeProto[] = []
    for (const node of this.nodes.toReversed()) {
      if (!node.output.some((name) => needed.has(name))) continue
      used.push(node)
      for (const name of node.input) needed.add(name)
    }
    return makeModel({
      opset,
      name: 'tape',
      nodes: [...used.reverse(), ...renames],
      initializers: this.initializers.filter(({ name }) => needed.has(name)),
      inputs: this.inputs.filter(({ name }) => needed.has(name)).map(({ name, shape }) => makeValueInfo(name, 'float32', shape)),
      outputs: named.map(([name, { shape }]) => makeValueInfo(name, 'float32', shape)),
    })
  }

  private ones(shape: readonly number[]): Value {
    return this.constant(new Float32Array(shape.reduce((product, dim) => product * dim, 1)).fill(1), shape)
  }

  private freshName(base: string): string {
    this.counter += 1
    return `${base}#${this.counter}`
  }
}
