import { CoreError } from '../core-error.ts'
import { hasOption, type TrtexecHelp } from './trtexec-help.ts'
import { isAtLeast, type TensorRtVersion } from './trtexec-version.ts'

/** An input with the shape it is measured with. */
export interface PlannedInput {
  readonly name: string
  readonly dims: readonly number[]
  /** The model leaves a dimension open. */
  readonly dynamic: boolean
}

/** What a call of trtexec is planned for. */
export interface TrtexecSubject {
  readonly help: TrtexecHelp
  /** `undefined`: 7 or older. */
  readonly version: TensorRtVersion | undefined
  readonly inputs: readonly PlannedInput[]
}

export interface EngineSettings {
  /** TensorRT may compute in half precision where the model has 32 bits. */
  readonly fp16: boolean
  readonly hasQdq: boolean
  readonly hasFloat16: boolean
  /** Memory that tactics may use, MiB. */
  readonly workspaceMiB: number
}

export interface TimingSettings {
  readonly warmUpMs: number
  /** Queries after warm-up, at least; with `seconds` both are reached. */
  readonly iterations: number
  readonly seconds: number
}

/** Options that decide what an engine is, without paths: they are part of its key. */
export interface EnginePlan {
  readonly options: readonly string[]
  /** What could not be done as it was asked for, a sentence each. */
  readonly notes: readonly string[]
}

/** Averages are printed for so many queries at a time: a million queries then make ten thousand lines. */
const QUERIES_PER_LINE = 100

/**
 * Options for building an engine, for the trtexec at hand. `--int8` is given only to a model with Q/DQ nodes: without them the
 * engine would be good for timing only. From version 11 on TensorRT computes in the types the model states, and has no `--fp16`.
 *
 * @throws CoreError `USAGE` for an input name that trtexec cannot take
 */
export function planEngine(subject: TrtexecSubject, { fp16, hasQdq, hasFloat16, workspaceMiB }: EngineSettings): EnginePlan {
  const { help, version } = subject
  const options: string[] = []
  const notes: string[] = []
  const when = (name: string, value = '') => {
    const there = hasOption(help, name)
    if (there) options.push(`${name}${value}`)
    return there
  }
  explicitBatch(subject, options)
  const shapes = shapeSpec(subject)
  if (shapes !== undefined) for (const which of ['min', 'opt', 'max']) options.push(`--${which}Shapes=${shapes}`)
  if (hasOption(help, '--memPoolSize')) options.push(`--memPoolSize=workspace:${workspaceMiB}`)
  else when('--workspace', `=${workspaceMiB}`)

  if (fp16 || hasFloat16) {
    // A model with 16-bit tensors is refused by TensorRT up to 10 unless half precision is allowed, or types are binding.
    const binding = !fp16 && !hasQdq && when('--stronglyTyped')
    if (!binding && !when('--fp16') && !isStronglyTyped(version))
      notes.push('This trtexec has no option for half precision: the engine computes in 32 bits.')
    else if (!binding && !fp16 && !isStronglyTyped(version)) {
      notes.push('The model has 16-bit tensors, so TensorRT may compute all of it in half precision.')
    } else if (!hasOption(help, '--fp16') && isStronglyTyped(version) && !hasFloat16) {
      notes.push(
        'TensorRT 11 computes in the types the model states, here in 32 bits. Make a build with the recipe fp16 for half precision.',
      )
    }
  }
  if (hasQdq && !when('--int8') && !isStronglyTyped(version)) {
    notes.push('This trtexec has no option for 8-bit precision: Q/DQ nodes are computed in floating point.')
  }
  return { options, notes }
}

/** Whether an engine keeps the types the model states: from version 11 on always. */
function isStronglyTyped(version: TensorRtVersion | undefined): boolean {
  return isAtLeast(version, 11, 0)
}

/**
 * The whole call that builds an engine and does not time it.
 * @param paths where things are; no timing cache where that is left out or the trtexec has none
 */
export function buildArguments(
  { help }: TrtexecSubject,
  plan: EnginePlan,
  paths: { readonly model: string; readonly engine: string; readonly timingCache?: string | undefined },
): string[] {
  const cache = paths.timingCache !== undefined && hasOption(help, '--timingCacheFile')
  const stop = ['--skipInference', '--buildOnly'].find((name) => hasOption(help, name))
  return [
    `--onnx=${paths.model}`,
    `--saveEngine=${paths.engine}`,
    ...(cache ? [`--timingCacheFile=${paths.timingCache}`] : []),
    ...plan.options,
    // One that cannot stop after building times one query.
    ...(stop === undefined ? ['--warmUp=0', '--duration=0', '--iterations=1'] : [stop]),
  ]
}

/**
 * Options for timing an engine. Copies between host and GPU are timed as well, CUDA graphs are not used, and the host waits for the GPU
 * without sleeping: version 11 has the first two the other way round by itself.
 *
 * @throws CoreError `USAGE` as {@link planEngine}
 */
export function planTiming(subject: TrtexecSubject, { warmUpMs, iterations, seconds }: TimingSettings): string[] {
  const { help, version } = subject
  const options: string[] = []
  explicitBatch(subject, options)
  const shapes = shapeSpec(subject)
  if (shapes !== undefined) options.push(`--shapes=${shapes}`)
  // Versions before 8.4 read whole seconds.
  const duration = isAtLeast(version, 8, 4) ? Number(seconds.toFixed(3)) : Math.ceil(seconds)
  options.push(`--warmUp=${Math.ceil(warmUpMs)}`, `--duration=${duration}`, `--iterations=${iterations}`)
  for (const option of ['--useSpinWait', '--includeDataTransfers', '--noCudaGraph']) if (hasOption(help, option)) options.push(option)
  if (hasOption(help, '--avgRuns')) options.push(`--avgRuns=${Math.min(iterations, QUERIES_PER_LINE)}`)
  return options
}

/** The whole call that times an engine. */
export function timingArguments(options: readonly string[], paths: { readonly engine: string; readonly times: string }): string[] {
  return [`--loadEngine=${paths.engine}`, `--exportTimes=${paths.times}`, ...options]
}

/** ONNX models need it up to version 7; later ones know, and warn of it. */
function explicitBatch({ help, version }: TrtexecSubject, options: string[]): void {
  if (!isAtLeast(version, 8, 0) && hasOption(help, '--explicitBatch')) options.push('--explicitBatch')
}

/**
 * Shapes of the inputs with open dimensions as trtexec reads them: `name:1x3x224x224,other:1x8`. Names with a colon stand in single
 * quotes. `undefined` where all inputs have fixed shapes.
 */
function shapeSpec({ inputs }: TrtexecSubject): string | undefined {
  const open = inputs.filter(({ dynamic }) => dynamic)
  if (open.length === 0) return undefined
  return open.map(({ name, dims }) => `${inputName(name)}:${dims.length === 0 ? 'scalar' : dims.join('x')}`).join(',')
}

function inputName(name: string): string {
  // Commas and quotes separate, a star stands for any name.
  if (/[,'*]/.test(name) || name === '') {
    throw new CoreError('USAGE', `The input "${name}" has an open dimension, and trtexec cannot read a name with a comma, quote or star.`, {
      hint: 'Export the model with fixed shapes, or with another name for this input.',
      details: { input: name },
    })
  }
  return /[:\s]/.test(name) ? `'${name}'` : name
}
