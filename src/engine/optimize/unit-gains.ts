import { gainsByNode } from '../../core/explanation/corresponding-nodes.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { profileInterleaved } from '../runtimes/node-profile.ts'
import type { StepContext } from './step-context.ts'

/** Enough runs for a median, and a bound on the time of slow models. */
const PROFILE = { threads: 1, runs: 60, warmupRuns: 10, budgetMs: 6000 } as const

/**
 * Milliseconds of one inference that each node of a build takes less than in the float model, on this computer; negative
 * where it takes more. Nodes that ONNX Runtime has merged into another have no time of their own and are missing.
 *
 * @throws the runtime's errors
 */
export async function unitGains(
  float: Uint8Array,
  build: Uint8Array,
  samples: CalibrationSamples,
  { progress }: Pick<StepContext, 'progress'>,
): Promise<Map<string, number>> {
  const feeds = await samples.read(0)
  const models = [
    { model: float, feeds },
    { model: build, feeds },
  ]
  const [before, after] = await profileInterleaved(models, {
    ...PROFILE,
    onRun: (done, total) => progress('profiling', done, total, 'runs'),
  })
  return gainsByNode(before!, after!)
}
