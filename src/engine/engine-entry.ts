// An engine process: takes one request from the backend over IPC, does the heavy work, answers, and ends.
import { type EngineMessage, type EngineRequest, engineRequestSchema } from '../contract/engine-protocol.ts'
import { toErrorReport } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { describeDataset, readSample } from './datasets/open-dataset.ts'
import { noteIdleMemory } from './memory.ts'
import { importModel } from './models/import-model.ts'
import { inspectFile } from './models/inspect-file.ts'
import { loadPorts } from './models/load-ports.ts'
import { optimizeModel } from './optimize/optimize.ts'
import { analyseSensitivity } from './optimize/sensitivity.ts'
import { onnxRuntime } from './runtimes/onnx-runtime.ts'

/** Progress more often than this only fills the channel. */
const PROGRESS_INTERVAL_MS = 50

// The parent is gone: nobody wants the answer. A running inference blocks this event; the backend sweeps by pid at its next start.
process.on('disconnect', () => process.exit(1))

process.once('message', (raw) => {
  noteIdleMemory()
  void answer(raw).then(
    (value) => finish({ type: 'result', value }),
    (error: unknown) => {
      const report = toErrorReport(error)
      if (report.code === 'INTERNAL' && error instanceof Error) console.error(error.stack)
      finish({ type: 'error', error: { ...report, details: report.details && { ...report.details } } })
    },
  )
})

async function answer(raw: unknown): Promise<unknown> {
  const request: EngineRequest = engineRequestSchema.parse(raw)
  switch (request.command) {
    case 'import-model':
      return importModel(request, onnxRuntime)
    case 'inspect-model':
      return inspectFile(request.path, request.name)
    case 'describe-dataset':
      return describeDataset(request.source)
    case 'read-sample':
      return readSample(request.source, await loadPorts(request.modelPath, onnxRuntime), request.index, { raw: request.raw })
    case 'optimize':
      return optimizeModel(request, onnxRuntime, reporter)
    case 'sensitivity':
      return analyseSensitivity(request, onnxRuntime, reporter)
  }
}

let lastProgressAt = 0
const reporter: JobReporter = {
  progress: (progress) => {
    const now = performance.now()
    const last = progress.total !== null && progress.done >= progress.total
    if (now - lastProgressAt < PROGRESS_INTERVAL_MS && !last) return
    lastProgressAt = now
    send({ type: 'progress', progress })
  },
  log: (text) => send({ type: 'log', text }),
}

function send(message: EngineMessage): void {
  if (process.connected) process.send?.(message)
}

/** Exits only after the message has left: an exit right after `send` may lose it. */
function finish(message: EngineMessage): void {
  if (!process.connected) process.exit(1)
  process.send?.(message, () => process.exit(0))
}
