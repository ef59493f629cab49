import { EdgesmithError } from '../../contract/errors.ts'
import { channelAxis, isIdentity, type PreprocessingSteps } from '../../core/datasets/preprocess.ts'
import { stepsFor } from '../../core/datasets/sample-set.ts'
import type { Port } from '../../core/inference-runtime.ts'

/** A model input as requests see it: one sample of it. */
export interface SampleInput {
  readonly port: Port
  /** Whether the first dimension of the port is the batch, which a sample does not have. */
  readonly batched: boolean
  /** `undefined` is any size. */
  readonly sampleShape: readonly (number | undefined)[]
  /** What turns a value of a request into one the model takes; empty where nothing is to be done. */
  readonly steps: PreprocessingSteps
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
 * @throws EdgesmithError `USAGE` for preprocessing of a model whose only input takes no fractions; CoreError `DATASET_SHAPE` for means
 *   or deviations that fit no axis
 */
export function modelSignature(ports: readonly Port[], preprocessing: PreprocessingSteps): ModelSignature {
  const open = (port: Port) => port.shape.length > 0 && typeof port.shape[0] !== 'number'
  const first = ports[0]?.shape[0]
  const sharedFixed = typeof first === 'number' && ports.every(({ shape }) => shape.length > 1 && shape[0] === first)
  const batching: Batching =
    ports.length > 0 && ports.every(open) ? { kind: 'open' } : sharedFixed ? { kind: 'fixed', size: first } : { kind: 'single' }
  const inputs = ports.map((port) => {
    const batched = open(port) || batching.kind === 'fixed'
    const sizes = port.shape.map((dim) => (typeof dim === 'number' ? dim : undefined))
    const sampleShape = batched ? sizes.slice(1) : sizes
    const steps = stepsFor(port, preprocessing, ports.length)
    checkSteps(port, sampleShape, steps)
    return { port, batched, sampleShape, steps }
  })
  const inputsCanFail = inputs.some(({ port, sampleShape }) => !port.type.startsWith('float') || sampleShape.includes(undefined))
  return { inputs, batching, inputsCanFail }
}

function checkSteps({ name, type }: Port, sampleShape: SampleInput['sampleShape'], steps: PreprocessingSteps): void {
  if (isIdentity(steps)) return
  if (!type.startsWith('float')) {
    throw new EdgesmithError('USAGE', `The preprocessing gives fractions, which input "${name}" (${type}) cannot take.`, {
      hint: 'Deploy the model without preprocessing.',
    })
  }
  const dims = sampleShape.filter((dim) => dim !== undefined)
  if (dims.length < sampleShape.length) return
  for (const entries of [steps.mean, steps.std]) if (entries) channelAxis([1, ...dims], entries.length, name)
}
