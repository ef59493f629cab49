import type { InferenceRuntime, LoadedModel } from '../inference-runtime.ts'
import { OutputFidelity } from '../metrics/output-fidelity.ts'
import type { CalibrationSamples } from './calibration-samples.ts'

/** Feeds that are looked at: saturation is a property of weights and ranges, it shows at once or not at all. */
const FEEDS = 8

/**
 * How far 16-bit saturation of this processor's 8-bit kernels (x64 without VNNI adds two products in 16 bits) carries the
 * outputs of a build from what exact kernels give: signal to noise of the output furthest off, dB.
 *
 * @param build bytes of an .onnx file
 * @returns null: no difference, nothing saturates; undefined: the exact kernels do not run this build, so that it cannot be told
 * @throws the runtime's errors for the build itself
 */
export async function saturationLoss(
  build: Uint8Array,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<number | null | undefined> {
  const here = await runtime.load(build)
  let exact: LoadedModel | undefined
  try {
    exact = await runtime.load(build, { exact8Bit: true }).catch(() => undefined)
    if (!exact) return undefined
    const fidelity = new OutputFidelity(here.outputs)
    for (let index = 0; index < Math.min(FEEDS, samples.feeds); index++) {
      const feed = await samples.read(index)
      // Weights that several nodes share make the exact kernels fail, some only when they run.
      const expected = await exact.run(feed).catch(() => undefined)
      if (!expected) return undefined
      fidelity.add(expected, await here.run(feed))
    }
    return fidelity.worst().sqnrDb
  } finally {
    await exact?.close()
    await here.close()
  }
}
