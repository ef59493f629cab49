import { preprocessingSchema } from '../contract/dataset.ts'
import { LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { type BenchSettings, benchSettingsSchema } from '../contract/measurement.ts'
import type { CommandContext } from './command.ts'
import { flag, setting, text } from './option.ts'
import { readJsonFile } from './read-json-file.ts'

const { shape } = benchSettingsSchema

/** Where to measure or serve. */
export const deviceOption = text('NAME', `the device (default ${LOCAL_DEVICE_NAME})`)

/** Threads of one run, where only one number makes sense. */
export const threadsOption = setting('N', shape.threads)

/** How samples become model inputs, for a dataset given by path. */
export const preprocessOption = text('FILE', 'JSON file that says how samples become model inputs, for a dataset given by path')

/** How long to measure. */
export const lengthOptions = {
  runs: setting('N', shape.runs),
  seconds: setting('S', shape.seconds.unwrap(), shape.seconds.description),
  'warmup-runs': setting('N', shape.warmupRuns, 'runs before measuring begins'),
  'warmup-seconds': setting('S', shape.warmupSeconds, 'seconds before measuring begins; the longer of both counts'),
} as const

/** Values of {@link lengthOptions} as they were given. */
export interface LengthValues {
  readonly runs: number | undefined
  readonly seconds: number | undefined
  readonly 'warmup-runs': number | undefined
  readonly 'warmup-seconds': number | undefined
}

/** What runs the model. */
export const runtimeOptions = {
  runtime: setting('NAME', shape.runtime, 'onnxruntime, or tensorrt: an engine that trtexec builds and times on a Jetson'),
  'no-fp16': flag('TensorRT computes in the types the model has, not in half precision'),
} as const

/** The given runtime as benchmark settings. */
export function runtimeSettings(options: { readonly runtime: BenchSettings['runtime'] | undefined; readonly 'no-fp16': boolean }) {
  return { runtime: options.runtime, fp16: options['no-fp16'] ? false : undefined }
}

/** The given lengths as benchmark settings; what was left out keeps the contract's default. */
export function lengthSettings(options: LengthValues) {
  const { runs, seconds, 'warmup-runs': warmupRuns, 'warmup-seconds': warmupSeconds } = options
  return { runs, seconds, warmupRuns, warmupSeconds }
}

/** The content of `--preprocess`, when it was given. @throws EdgesmithError `DATASET_INVALID` and those of reading the file */
export async function readPreprocessing(context: CommandContext, path: string | undefined) {
  return path === undefined ? undefined : readJsonFile(context.workingFolder, path, preprocessingSchema, 'DATASET_INVALID')
}
