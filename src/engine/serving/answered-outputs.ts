import { EdgesmithError } from '../../contract/errors.ts'
import type { Port } from '../../core/inference-runtime.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import type { OutputBatch, SampleOutput } from '../measure/sample-outputs.ts'

/** One of the `results` of `POST /predict/batch`, as far as it is needed. */
export interface ServiceAnswer {
  readonly outputs: Readonly<Record<string, unknown>>
}

/**
 * Answers of a service as a run of the model would have given them. Outputs that the service keeps back (an embedding), hold text, or have
 * another shape for every sample are left out. Values that JSON cannot hold come as NaN.
 *
 * @param ports outputs of the model, in its order
 * @param first number of the first sample
 * @throws EdgesmithError `SERVICE_REFUSED` when answers differ in their outputs
 */
export function answeredOutputs(answers: readonly ServiceAnswer[], ports: readonly Port[], first: number): OutputBatch {
  const outputs = ports.flatMap((port): SampleOutput[] => {
    const { name, type } = port
    const given = answers.filter((answer) => Object.hasOwn(answer.outputs, name))
    if (given.length === 0 || type === 'string') return []
    if (given.length < answers.length) {
      throw new EdgesmithError(
        'SERVICE_REFUSED',
        `The service answered output ${quoteName(name)} for ${given.length} of ${answers.length} samples.`,
      )
    }
    const shape = shapeOf(given[0]?.outputs[name])
    const perSample = shape.reduce((product, dim) => product * dim, 1)
    const values = new Float32Array(given.length * perSample)
    for (const [index, answer] of given.entries()) {
      const flat = [answer.outputs[name]].flat(Number.POSITIVE_INFINITY)
      if (flat.length !== perSample) return []
      values.set(flat.map(numberOf), index * perSample)
    }
    return [{ name, type, dims: [given.length, ...shape], sampleDims: withoutBatch(shape, port), perSample, values }]
  })
  return { first, count: answers.length, outputs }
}

function shapeOf(value: unknown): number[] {
  return Array.isArray(value) ? [value.length, ...(value.length > 0 ? shapeOf(value[0]) : [])] : []
}

/** A model that runs one sample at a time is answered whole, with its batch dimension. */
function withoutBatch(shape: readonly number[], port: Port): readonly number[] {
  return shape.length > 0 && shape.length === port.shape.length && shape[0] === 1 ? shape.slice(1) : shape
}

function numberOf(value: unknown): number {
  if (typeof value === 'boolean') return Number(value)
  // Integers beyond 2^53 are text.
  return typeof value === 'number' || (typeof value === 'string' && value !== '') ? Number(value) : Number.NaN
}
