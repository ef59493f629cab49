import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { Target } from '../../contract/names.ts'
import type { Fidelity } from '../../contract/recipe.ts'
import { floatToHalf } from '../../core/float16.ts'
import type { InferenceRuntime, LoadedModel, NamedTensors, Port, RuntimeTensor } from '../../core/inference-runtime.ts'
import { OutputFidelity } from '../../core/metrics/output-fidelity.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { loadAsTarget } from '../../core/quantization/load-as-target.ts'
import { seededRandom } from '../../core/statistics/seeded-random.ts'
import { generatedInputs } from './generated-inputs.ts'

/** What unknown dimensions are tried with, until the source model runs: smallest first, then sizes that networks commonly take. */
const FREE_DIMENSIONS = [1, 8, 16, 32, 64, 128, 224, 256, 512].flatMap((size) => [
  { size, statesOfOne: false },
  { size, statesOfOne: true },
])
const GENERATED_FEEDS = 4
const SEED = 20_240_229

/**
 * Loads a build and its source, runs both on the same inputs and compares their outputs.
 *
 * @param given calibration samples; without them inputs are generated from a fixed seed
 * @param target for targets that multiply 8-bit values exactly, this computer does so too
 * @throws EdgesmithError `BUILD_VERIFICATION_FAILED` when the build does not load or run, gives other shapes, or NaN or
 *   infinity where the source gives numbers
 */
export async function verifyBuild(
  sourceBytes: Uint8Array,
  buildBytes: Uint8Array,
  given: CalibrationSamples | undefined,
  target: Target,
  runtime: InferenceRuntime,
  progress: (done: number, total: number) => void = () => {},
): Promise<Fidelity> {
  const source = await runtime.load(sourceBytes)
  try {
    const build = await failing('The build does not load', () => loadAsTarget(buildBytes, target, runtime))
    try {
      const feeds = given ?? (await generatedFeeds(source))
      const comparison = new OutputFidelity(source.outputs)
      for (let index = 0; index < feeds.feeds; index++) {
        const feed = await feeds.read(index)
        const expected = await source.run(feed)
        const found = await failing('The build does not run', () => build.run(inTypesOf(feed, build.inputs)))
        requireShapes(source.outputs, expected, found)
        comparison.add(expected, found, requireFinite)
        progress(index + 1, feeds.feeds)
      }
      return { ...comparison.worst(), samples: feeds.feeds, inputs: given ? 'calibration' : 'generated' }
    } finally {
      await build.close()
    }
  } finally {
    await source.close()
  }
}

/** @throws EdgesmithError `BUILD_VERIFICATION_FAILED` for an output of another shape */
function requireShapes(ports: readonly Port[], expected: NamedTensors, found: NamedTensors): void {
  for (const { name, type } of ports) {
    if (type === 'string') continue
    const [reference, actual] = [expected[name]!, found[name]]
    if (actual && actual.dims.join() === reference.dims.join()) continue
    const shape = actual ? `[${actual.dims.join(',')}]` : 'nothing'
    throw unusable(`Output "${name}" of the build is ${shape}, the source gives [${reference.dims.join(',')}].`, { output: name })
  }
}

function requireFinite(output: string, expected: ArrayLike<number | bigint>, found: ArrayLike<number | bigint>): void {
  let broken = 0
  for (let index = 0; index < found.length; index++)
    if (!Number.isFinite(Number(found[index])) && Number.isFinite(Number(expected[index]))) broken++
  if (broken === 0) return
  throw unusable(
    `Output "${output}" of the build holds ${broken} NaN or infinite values among ${found.length}, the source gives numbers there.`,
    {
      output,
      broken,
    },
  )
}

async function failing<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    const { code, message, details } = toErrorReport(error)
    throw unusable(`${what}: ${message}`, { ...details, cause: code })
  }
}

function unusable(message: string, details: Readonly<Record<string, unknown>>): EdgesmithError {
  return new EdgesmithError('BUILD_VERIFICATION_FAILED', message, {
    hint: 'Exclude the operator that causes it, or use another recipe. Nothing was written.',
    details,
  })
}

/** float32 values in the type a build's input takes: a build may take float16 where its source takes float32. */
function inTypesOf(feed: NamedTensors, inputs: readonly Port[]): NamedTensors {
  return Object.fromEntries(
    Object.entries(feed).map(([name, tensor]) => [
      name,
      inputs.find((port) => port.name === name)?.type === 'float16' ? asHalf(tensor) : tensor,
    ]),
  )
}

function asHalf(tensor: RuntimeTensor): RuntimeTensor {
  if (tensor.type !== 'float32') return tensor
  return { ...tensor, type: 'float16', values: Uint16Array.from(tensor.values as Float32Array, floatToHalf) }
}

/** Inputs from a fixed seed, with the first sizes for unknown dimensions that the source runs with. */
export async function generatedFeeds(source: LoadedModel): Promise<CalibrationSamples> {
  let lastError: unknown
  for (const free of FREE_DIMENSIONS) {
    const random = seededRandom(SEED)
    const made = Array.from({ length: GENERATED_FEEDS }, () => generatedInputs(source.inputs, free, random))
    if (!made.every((feed) => feed !== undefined)) continue
    try {
      await source.run(made[0]!)
      return { feeds: made.length, read: async (index) => made[index]! }
    } catch (error) {
      lastError = error
    }
  }
  const reason = lastError === undefined ? 'an input is too large or of a type that cannot be made up' : toErrorReport(lastError).message
  throw new EdgesmithError('CALIBRATION_NEEDED', `The build cannot be verified with generated inputs: ${reason}`, {
    hint: 'Give a dataset with --calibration: the build is then verified with its samples.',
  })
}
