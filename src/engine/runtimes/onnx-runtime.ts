import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'onnxruntime-node'
import { EdgesmithError } from '../../contract/errors.ts'
import type { GraphOptimization, InferenceRuntime, LoadedModel, LoadOptions, NamedTensors } from '../../core/inference-runtime.ts'
import { runError } from './runtime-errors.ts'
import { openSession, type SessionSettings } from './session.ts'
import { fromTensor, tensorPorts, toFeeds } from './tensors.ts'

/** Version of ONNX Runtime, for example `1.30.0`. */
export const onnxRuntimeVersion: string = env.versions.node ?? 'unknown'

/** ONNX Runtime on the CPU, one thread unless asked for more. Runs block the calling thread (the native call is synchronous). */
export const onnxRuntime: InferenceRuntime = { load, optimized }

/**
 * The graph as ONNX Runtime rewrites it before running.
 *
 * @param configuration further session entries, see {@link SessionSettings}
 * @throws EdgesmithError as `InferenceRuntime.load` does
 */
export async function rewrittenModel(
  model: Uint8Array,
  optimization: GraphOptimization,
  configuration?: SessionSettings['configuration'],
): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-graph-'))
  try {
    const optimizedModelPath = join(folder, 'model.onnx')
    const settings = { optimization, intraOpThreads: 1, optimizedModelPath, ...(configuration ? { configuration } : {}) }
    const session = await openSession(model, settings)
    await session.release()
    return await readFile(optimizedModelPath)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function load(
  model: Uint8Array,
  { optimization = 'all', intraOpThreads = 1, exact8Bit = false }: LoadOptions = {},
): Promise<LoadedModel> {
  const exactness = exact8Bit ? { configuration: { session: { x64quantprecision: '1' } } } : {}
  const session = await openSession(model, { optimization, intraOpThreads, ...exactness })
  const notTensor = session.inputMetadata.find((input) => !input.isTensor)
  if (notTensor) {
    await session.release()
    throw new EdgesmithError('MODEL_LOAD_FAILED', `Model input "${notTensor.name}" is not a tensor (a sequence, map or optional value).`, {
      hint: 'Export a model whose inputs are tensors.',
    })
  }
  const inputs = tensorPorts(session.inputMetadata)
  const outputs = tensorPorts(session.outputMetadata)
  const outputNames = outputs.map(({ name }) => name)

  async function run(feeds: NamedTensors): Promise<NamedTensors> {
    const tensors = toFeeds(feeds, inputs)
    try {
      const results = await session.run(tensors, outputNames)
      return Object.fromEntries(outputNames.map((name) => [name, fromTensor(results[name]!)]))
    } catch (error) {
      throw runError(error)
    }
  }
  return { inputs, outputs, run, close: () => session.release() }
}

function optimized(model: Uint8Array, level: 'basic' | 'extended' | 'all'): Promise<Uint8Array> {
  return rewrittenModel(model, level)
}
