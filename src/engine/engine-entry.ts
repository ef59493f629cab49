// An engine process: takes one request from the backend over IPC, does the heavy work, answers, and ends.
import { type EngineMessage, type EngineRequest, engineRequestSchema } from '../contract/engine-protocol.ts'
import { toErrorReport } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import type { InferenceRuntime } from '../core/inference-runtime.ts'
import { noteIdleMemory } from './memory.ts'

/** Progress more often than this only fills the channel. */
const PROGRESS_INTERVAL_MS = 50

// The parent is gone: nobody wants the answer. A running inference blocks this event; the backend sweeps by pid at its next start.
process.on('disconnect', () => process.exit(1))

process.once('message', (raw) => {
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
  const run = await load(engineRequestSchema.parse(raw))
  // Of the program as it stands, all that its work needs loaded.
  noteIdleMemory()
  return run()
}

/** Loads the code of a command, and only that: a preview must not wait for ONNX Runtime, nor a model for the image library. */
async function load(request: EngineRequest): Promise<() => Promise<unknown>> {
  switch (request.command) {
    case 'import-model': {
      const [{ importModel }, runtime] = await Promise.all([import('./models/import-model.ts'), onnxRuntime()])
      return () => importModel(request, runtime)
    }
    case 'inspect-model': {
      const { inspectFile } = await import('./models/inspect-file.ts')
      return () => inspectFile(request.path, request.name)
    }
    case 'read-sample': {
      const [{ readSample }, { loadPorts }, runtime] = await Promise.all([
        import('./datasets/open-dataset.ts'),
        import('./models/load-ports.ts'),
        onnxRuntime(),
      ])
      return async () => readSample(request.source, await loadPorts(request.modelPath, runtime), request.index, { raw: request.raw })
    }
    case 'optimize': {
      const [{ optimizeModel }, runtime] = await Promise.all([import('./optimize/optimize.ts'), onnxRuntime()])
      return () => optimizeModel(request, runtime, reporter)
    }
    case 'sensitivity': {
      const [{ analyseSensitivity }, runtime] = await Promise.all([import('./optimize/sensitivity.ts'), onnxRuntime()])
      return () => analyseSensitivity(request, runtime, reporter)
    }
    case 'serving-facts': {
      const [{ servingFacts }, runtime] = await Promise.all([import('./serving/serving-facts.ts'), onnxRuntime()])
      return () => servingFacts(request, runtime, reporter)
    }
    case 'service-answers': {
      const [{ serviceAnswers }, runtime] = await Promise.all([import('./serving/service-answers.ts'), onnxRuntime()])
      return () => serviceAnswers(request, runtime, reporter)
    }
    case 'view-samples': {
      const { viewSamples } = await import('./datasets/view-samples.ts')
      return () => viewSamples(request)
    }
    case 'preview-sample': {
      const { previewSample } = await import('./datasets/preview-sample.ts')
      const runtime = request.modelPath === null ? null : await onnxRuntime()
      return () => previewSample(request, runtime)
    }
    case 'find-duplicates': {
      const { findDuplicates } = await import('./datasets/find-duplicates.ts')
      return () => findDuplicates(request.sources, reporter)
    }
    case 'import-dataset': {
      const { importDataset } = await import('./datasets/import/import-dataset.ts')
      return () => importDataset(request, reporter)
    }
    case 'split-dataset': {
      const { splitDataset } = await import('./datasets/split-dataset.ts')
      return () => splitDataset(request, reporter)
    }
    case 'remake-images': {
      const { remakeImages } = await import('./datasets/remake-images.ts')
      return () => remakeImages(request, reporter)
    }
    case 'describe-dataset': {
      const { describeStored } = await import('./datasets/sample-hashes.ts')
      return () => describeStored(request.source, reporter)
    }
  }
}

async function onnxRuntime(): Promise<InferenceRuntime> {
  return (await import('./runtimes/onnx-runtime.ts')).onnxRuntime
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
