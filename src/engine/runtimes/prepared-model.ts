import type { NamedTensors, Port } from '../../core/inference-runtime.ts'
import { makeModel, makeNode, makeValueInfo } from '../../core/onnx/builders.ts'
import { encodeModel } from '../../core/onnx/model-file.ts'
import { openSession } from './session.ts'
import { tensorPorts, toFeeds } from './tensors.ts'

/** A model whose tensors are made once and run many times: between two clock readings stands nothing but the runtime's own `run`. */
export interface PreparedModel {
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /**
   * Checks the inputs and keeps them in the runtime's form; each call of the result runs the model on them once.
   * A failing run rejects with the runtime's own error, see `runtime-errors.ts`.
   * @throws EdgesmithError `MODEL_RUN_FAILED` for inputs that are not the model's
   */
  prepare(feeds: NamedTensors): () => Promise<unknown>
  close(): Promise<void>
}

/**
 * Loads a model for timing, with all graph optimizations, as a user's program would.
 * @throws EdgesmithError `MODEL_LOAD_FAILED`, `MODEL_UNSUPPORTED_OP`, `MODEL_UNSUPPORTED_OPSET`
 */
export async function openPreparedModel(model: Uint8Array, threads: number): Promise<PreparedModel> {
  const session = await openSession(model, { optimization: 'all', intraOpThreads: threads })
  const inputs = tensorPorts(session.inputMetadata)
  return {
    inputs,
    outputs: tensorPorts(session.outputMetadata),
    prepare: (feeds) => {
      const tensors = toFeeds(feeds, inputs)
      return () => session.run(tensors)
    },
    close: () => session.release(),
  }
}

/**
 * Starts ONNX Runtime in this process by loading and running the smallest model there is. The first session of a process sets up the
 * runtime and its library (25 MB and tens of milliseconds, whatever the model): done before, that is not counted as the model's.
 */
export async function startRuntime(): Promise<void> {
  const empty = makeModel({
    nodes: [makeNode('Identity', ['x'], ['y'])],
    inputs: [makeValueInfo('x', 'float32', [1])],
    outputs: [makeValueInfo('y', 'float32', [1])],
  })
  const model = await openPreparedModel(encodeModel(empty), 1)
  await model.prepare({ x: { type: 'float32', dims: [1], values: new Float32Array(1) } })()
  await model.close()
}
