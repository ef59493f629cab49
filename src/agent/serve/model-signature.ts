import { EdgesmithError } from '../../contract/errors.ts'
import { hasArithmetic, type PreprocessingSteps, stepsForAll } from '../../core/datasets/preprocess.ts'
import { planSample, type SamplePlan, storedShapeFor } from '../../core/datasets/sample-plan.ts'
import type { Port } from '../../core/inference-runtime.ts'
import type { InputFields } from './input-fields.ts'

/** A model input as requests see it: one sample of it. */
export interface SampleInput {
  readonly port: Port
  /** Whether the first dimension of the port is the batch, which a sample does not have. */
  readonly batched: boolean
  /** What the model takes; `undefined` is any size. */
  readonly sampleShape: readonly (number | undefined)[]
  /** What requests give, before preprocessing: the same but for layout, and for sizes that only the preprocessing says. */
  readonly sentShape: readonly (number | undefined)[]
  /** What turns a value of a request into one the model takes; empty where nothing is to be done. */
  readonly steps: PreprocessingSteps
  /** How it is done; `undefined` where that depends on sizes of the request. */
  readonly plan: SamplePlan | undefined
  /** Names and ranges of single values, where some are known. */
  readonly fields?: InputFields
}

/**
 * How samples get into one run: `open`: any number; `fixed`: always `size`, filled up; `single`: one by one, because some input has no
 * batch dimension.
 */
type Batching = { readonly kind: 'open' } | { readonly kind: 'fixed'; readonly size: number } | { readonly kind: 'single' }

/** What requests must look like for a model. */
export interface ModelSignature {
  readonly inputs: readonly SampleInput[]
  readonly batching: Batching
  /** Whether values or sizes of a valid request can make a run fail: indices out of range, sizes that do not fit together. */
  readonly inputsCanFail: boolean
}

/**
 * Reads the batch dimension off the model's inputs. The first dimension is the batch where it is open, or where all inputs have two or
 * more dimensions and share the same fixed first one.
 *
 * @param preprocessing meant for the floating point inputs, as in evaluation
 * @throws EdgesmithError `USAGE` for preprocessing of a model whose only input takes no fractions; CoreError `DATASET_SHAPE`,
 *   `DATASET_TYPE` for preprocessing that does not fit the inputs
 */
export function modelSignature(ports: readonly Port[], preprocessing: PreprocessingSteps): ModelSignature {
  const open = (port: Port) => port.shape.length > 0 && typeof port.shape[0] !== 'number'
  const first = ports[0]?.shape[0]
  const sharedFixed = typeof first === 'number' && ports.every(({ shape }) => shape.length > 1 && shape[0] === first)
  const batching: Batching =
    ports.length > 0 && ports.every(open) ? { kind: 'open' } : sharedFixed ? { kind: 'fixed', size: first } : { kind: 'single' }
  const stepsOfInputs = stepsForAll(ports, preprocessing)
  const inputs = ports.map((port, index) => {
    const batched = open(port) || batching.kind === 'fixed'
    const dims = port.shape.map((dim) => (typeof dim === 'number' ? dim : undefined))
    const sampleShape = batched ? dims.slice(1) : dims
    const steps = stepsOfInputs[index] ?? {}
    const sentShape = (storedShapeFor(sampleShape, steps) ?? sampleShape).map((dim) => (typeof dim === 'number' ? dim : undefined))
    checkSteps(port, steps)
    const sizes = sentShape.filter((dim) => dim !== undefined)
    const plan =
      sizes.length === sentShape.length ? planRequest(sizes, { port, sampleShape, steps }, `service input "${port.name}"`) : undefined
    return { port, batched, sampleShape, sentShape, steps, plan }
  })
  const inputsCanFail = inputs.some(({ port, sampleShape }) => !port.type.startsWith('float') || sampleShape.includes(undefined))
  return { inputs, batching, inputsCanFail }
}

/**
 * How samples of a shape become model inputs: the same plan as in evaluation.
 * @param path how messages call the values
 * @throws CoreError `DATASET_SHAPE`, `DATASET_TYPE`
 */
export function planRequest(
  dims: readonly number[],
  { port: { name, type }, sampleShape, steps }: Pick<SampleInput, 'port' | 'sampleShape' | 'steps'>,
  path: string,
): SamplePlan {
  return planSample(dims, { name, type, sample: sampleShape }, steps, path)
}

function checkSteps({ name, type }: Port, steps: PreprocessingSteps): void {
  if (!hasArithmetic(steps) || type.startsWith('float') || steps.dtype === type) return
  throw new EdgesmithError('USAGE', `The preprocessing gives fractions, which input "${name}" (${type}) cannot take.`, {
    hint: 'Deploy the model without scale, mean and std.',
  })
}
