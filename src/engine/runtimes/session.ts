import './no-telemetry.ts'
import { env, InferenceSession } from 'onnxruntime-node'
import type { GraphOptimization } from '../../core/inference-runtime.ts'
import { freeGarbage } from './garbage.ts'
import { loadError } from './runtime-errors.ts'

// Failures come back as exceptions with the same text; ONNX Runtime's own lines on stderr would only repeat them.
const FATAL_ONLY = 4
env.logLevel = 'fatal'

/** From this size on it is worth looking for dead copies of a model before ONNX Runtime makes its own. */
const LARGE_MODEL = 1024 * 1024

/** What {@link openSession} passes on to ONNX Runtime. */
export interface SessionSettings {
  readonly optimization: GraphOptimization
  readonly intraOpThreads: number
  /** Where the rewritten graph is written. */
  readonly optimizedModelPath?: string
  /** Switches ONNX Runtime's profiler on; its file's name begins with this path and a time follows. */
  readonly profilePrefix?: string
  /** Session configuration entries, grouped by the part before the dot: `{session: {qdqisint8allowed: '1'}}`. */
  readonly configuration?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/**
 * Loads a model from memory with the CPU execution provider.
 * @throws EdgesmithError `MODEL_LOAD_FAILED`, `MODEL_UNSUPPORTED_OP`, `MODEL_UNSUPPORTED_OPSET`
 */
export async function openSession(model: Uint8Array, settings: SessionSettings): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    logSeverityLevel: FATAL_ONLY,
    graphOptimizationLevel: settings.optimization,
    enableCpuMemArena: settings.optimization !== 'disabled',
    intraOpNumThreads: settings.intraOpThreads,
    interOpNumThreads: 1,
    ...(settings.optimizedModelPath === undefined ? {} : { optimizedModelFilePath: settings.optimizedModelPath }),
    ...(settings.profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: settings.profilePrefix }),
    ...(settings.configuration === undefined ? {} : { extra: settings.configuration }),
  }
  if (model.length >= LARGE_MODEL) freeGarbage()
  try {
    return await InferenceSession.create(model, options)
  } catch (error) {
    throw loadError(error)
  }
}
