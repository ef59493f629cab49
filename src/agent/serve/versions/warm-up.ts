import type { LoadedModel, NamedTensors, Port } from '../../../core/inference-runtime.ts'
import { elementCount } from '../../../core/onnx/tensor-values.ts'
import { makeBenchmarkInputs } from '../../../engine/measure/benchmark-inputs.ts'
import type { ModelSignature } from '../model-signature.ts'

/**
 * Runs the model once on made-up inputs, so that the first client does not wait for the runtime's own preparations, and sees whether the
 * outputs have one row a sample. Where they do not, or the run fails, samples are run one by one and outputs are answered whole.
 */
export async function warmUp(
  model: LoadedModel,
  signature: ModelSignature,
): Promise<{ signature: ModelSignature; failure: string | null }> {
  const { batching } = signature
  const rows = batching.kind === 'fixed' ? batching.size : batching.kind === 'open' ? 2 : 1
  let failure: string | null = null
  try {
    const outputs = await model.run(warmUpFeeds(model.inputs, rows))
    if (Object.values(outputs).every(({ dims }) => dims[0] === rows)) return { signature, failure }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  return { signature: batching.kind === 'fixed' ? signature : { ...signature, batching: { kind: 'single' } }, failure }
}

/** Made-up inputs; empty strings for string inputs, which a benchmark does not have. */
export function warmUpFeeds(inputs: readonly Port[], rows: number): NamedTensors {
  const numeric = inputs.filter(({ type }) => type !== 'string')
  const strings = inputs.filter(({ type }) => type === 'string')
  const feeds = strings.map(({ name, type, shape }) => {
    const dims = shape.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? rows : 1))
    return [name, { type, dims, values: new Array<string>(elementCount(dims)).fill('') }] as const
  })
  return { ...(numeric.length > 0 ? makeBenchmarkInputs(numeric, rows).feeds : {}), ...Object.fromEntries(feeds) }
}
