import { InferenceSession, Tensor } from 'onnxruntime-node'
import { SeededRandom } from '../../scripts/training/seeded-random.ts'
import { Tape, type Value } from '../../scripts/training/tape.ts'
import { encodeModel } from '../../src/core/onnx/model-file.ts'

/** Values fed to a graph, by input name. */
export type Feeds = ReadonlyMap<string, Float32Array>

/** A function under test: it reads inputs declared with their shapes and writes one output. */
export interface Differentiable {
  readonly shapes: Readonly<Record<string, readonly number[]>>
  readonly build: (tape: Tape, inputs: Readonly<Record<string, Value>>) => Value
}

/** A compiled {@link Differentiable}: its output, and the gradients of Σ seed · output. */
export class CompiledFunction {
  readonly outputShape: readonly number[]
  private readonly shapes: ReadonlyMap<string, readonly number[]>
  private readonly forward: InferenceSession
  private readonly backward: InferenceSession
  private readonly wanted: readonly string[]

  private constructor(
    shapes: ReadonlyMap<string, readonly number[]>,
    wanted: readonly string[],
    outputShape: readonly number[],
    sessions: readonly [InferenceSession, InferenceSession],
  ) {
    this.shapes = shapes
    this.wanted = wanted
    this.outputShape = outputShape
    this.forward = sessions[0]
    this.backward = sessions[1]
  }

  static async compile({ shapes, build }: Differentiable, wanted: readonly string[]): Promise<CompiledFunction> {
    const tape = new Tape()
    const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, tape.input(name, shape)]))
    const output = build(tape, inputs)
    const seed = tape.input('seed', output.shape)
    const gradients = tape.gradients(
      output,
      wanted.map((name) => inputs[name] as Value),
      seed,
    )
    const named = Object.fromEntries(wanted.map((name, index) => [`gradient:${name}`, gradients[index] as Value]))
    const forward = await InferenceSession.create(encodeModel(tape.model({ output })), { intraOpNumThreads: 1 })
    const backward = await InferenceSession.create(encodeModel(tape.model(named)), { intraOpNumThreads: 1 })
    const allShapes = new Map(Object.entries({ ...shapes, seed: output.shape }))
    return new CompiledFunction(allShapes, wanted, output.shape, [forward, backward])
  }

  async output(feeds: Feeds): Promise<Float32Array> {
    const { output } = await this.forward.run(this.tensors(this.forward, feeds))
    return (output as Tensor).data as Float32Array
  }

  async gradients(feeds: Feeds, seed: Float32Array): Promise<Map<string, Float32Array>> {
    const results = await this.backward.run(this.tensors(this.backward, new Map([...feeds, ['seed', seed]])))
    return new Map(this.wanted.map((name) => [name, (results[`gradient:${name}`] as Tensor).data as Float32Array]))
  }

  private tensors(session: InferenceSession, feeds: Feeds): Record<string, Tensor> {
    return Object.fromEntries(
      session.inputNames.map((name) => [name, new Tensor('float32', feeds.get(name) as Float32Array, this.shapes.get(name) as number[])]),
    )
  }
}

/** Normally distributed values for a shape. */
export function randomValues(shape: readonly number[], random: SeededRandom): Float32Array {
  return new Float32Array(shape.reduce((product, dim) => product * dim, 1)).map(() => random.normal())
}

/**
 * Largest difference between the recorded gradient and the central finite difference over the named inputs, every
 * element, relative to the largest finite difference of that input. The network runs in float32; the sum Σ seed · output
 * and the difference are computed in float64, so that only the rounding of the outputs themselves is left.
 *
 * @param step distance of the two points from the middle
 */
export async function largestRelativeError(
  subject: Differentiable,
  names: readonly string[],
  values: Feeds,
  step: number,
): Promise<Record<string, number>> {
  const compiled = await CompiledFunction.compile(subject, names)
  const seed = randomValues(compiled.outputShape, new SeededRandom(99))
  const gradients = await compiled.gradients(values, seed)
  const errors: Record<string, number> = {}
  for (const name of names) {
    const recorded = gradients.get(name) as Float32Array
    const numeric = new Float64Array(recorded.length)
    for (const index of recorded.keys()) numeric[index] = await finiteDifference(compiled, values, seed, name, index, step)
    const scale = Math.max(...numeric.map(Math.abs))
    errors[name] = Math.max(...numeric.map((value, index) => Math.abs(value - (recorded[index] as number)))) / scale
  }
  return errors
}

async function finiteDifference(
  compiled: CompiledFunction,
  values: Feeds,
  seed: Float32Array,
  name: string,
  index: number,
  step: number,
): Promise<number> {
  const middle = values.get(name) as Float32Array
  const moved = (offset: number) => new Map([...values, [name, middle.with(index, (middle[index] as number) + offset)]])
  const [above, below] = [moved(step), moved(-step)]
  const [high, low] = [await compiled.output(above), await compiled.output(below)]
  // float32 rounds the two points: the real distance is divided by, not the one that was asked for.
  const distance = (above.get(name)?.[index] as number) - (below.get(name)?.[index] as number)
  return high.reduce((sum, value, place) => sum + (seed[place] as number) * (value - (low[place] as number)), 0) / distance
}
