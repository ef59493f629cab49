import type { InferenceRuntime, LoadedModel } from '../inference-runtime.ts'
import { type QuantizationTarget, targetRules } from './target-rules.ts'

/**
 * Loads a build as its target computes it: 8-bit products are exact where the target's are. ONNX Runtime's exact mode for x64 fails
 * on weights that several nodes share; without optimizations Q/DQ are computed in float32, which is exact too.
 */
export async function loadAsTarget(build: Uint8Array, target: QuantizationTarget, runtime: InferenceRuntime): Promise<LoadedModel> {
  if (targetRules(target).weightScale === 'pair-safe') return runtime.load(build)
  try {
    return await runtime.load(build, { exact8Bit: true })
  } catch {
    return runtime.load(build, { optimization: 'disabled' })
  }
}
