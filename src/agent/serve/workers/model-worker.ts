import { readFile } from 'node:fs/promises'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { EdgesmithError, toErrorReport } from '../../../contract/errors.ts'
import type { LoadedModel } from '../../../core/inference-runtime.ts'
import { onnxRuntime } from '../../../engine/runtimes/onnx-runtime.ts'
import { sha256Of } from '../../../platform/file-hash.ts'
import { givenTensors } from './tensor-transfer.ts'
import type { WorkerCommand, WorkerOrder, WorkerReport } from './worker-messages.ts'

/**
 * A thread that loads a model from its file and runs it for another one, run after run. It ends when it is told to, after what it was told
 * before, with its session released: a thread that is ended by force in a run takes the process down (Node aborts when a native call
 * returns into a thread that is gone).
 */
export async function runModelWorker(): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('a model runs in a worker thread')
  try {
    const model = await load(workerData as WorkerOrder)
    report(port, { kind: 'loaded', inputs: model.inputs, outputs: model.outputs })
    await serve(port, model)
    await model.close()
  } catch (error) {
    report(port, { kind: 'refused', error: toErrorReport(error) })
  }
  port.close()
}

/** Works on one command after the other, until it is told to end. */
function serve(port: MessagePort, model: LoadedModel): Promise<void> {
  return new Promise((resolve) => {
    let turn = Promise.resolve()
    port.on('message', (command: WorkerCommand) => {
      turn = turn.then(() => (command.kind === 'end' ? resolve() : run(port, model, command)))
    })
  })
}

async function run(port: MessagePort, model: LoadedModel, { id, feeds }: Extract<WorkerCommand, { kind: 'run' }>): Promise<void> {
  try {
    const { tensors, memory } = givenTensors(await model.run(feeds))
    report(port, { kind: 'ran', id, outputs: tensors }, memory)
  } catch (error) {
    report(port, { kind: 'failed', id, error: toErrorReport(error) })
  }
}

/** @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT`, and what loading throws */
async function load({ modelPath, modelSha256, threads }: WorkerOrder): Promise<LoadedModel> {
  const bytes = await readFile(modelPath).catch((error: unknown) => {
    throw new EdgesmithError('FILE_NOT_FOUND', `The model ${modelPath} cannot be read: ${error instanceof Error ? error.message : error}.`)
  })
  // Read again by every thread that is started again: it must still be the file that was checked.
  const found = modelSha256 === null ? null : sha256Of(bytes)
  if (found !== modelSha256) {
    throw new EdgesmithError('BUNDLE_CORRUPT', `The model ${modelPath} is not the one that was deployed: its hash differs.`, {
      hint: 'Deploy the model again.',
      details: { expected: modelSha256, found },
    })
  }
  const model = await onnxRuntime.load(bytes, { intraOpThreads: threads })
  free(bytes)
  return model
}

/** ONNX Runtime has a copy of its own, and a thread that waits collects no garbage: moved into nothing, the memory is free at once. */
function free({ buffer, byteLength }: Uint8Array): void {
  // Not where others have a part of it.
  if (buffer.byteLength === byteLength) (buffer as ArrayBuffer & { transfer(length: number): ArrayBuffer }).transfer(0)
}

function report(port: MessagePort, message: WorkerReport, memory: ArrayBuffer[] = []): void {
  port.postMessage(message, memory)
}
