import type { ModelProto } from 'onnx-buf'
import type { Preprocessing } from '../../contract/dataset.ts'
import type { EngineRequest } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { Target } from '../../contract/names.ts'
import { type Fidelity, type OptimizeSummary, type RecipeStep, usesCalibration } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { dropOverridableInputs } from '../../core/onnx/constant-inputs.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import type { CalibrationSamples } from '../../core/quantization/calibration-samples.ts'
import { targetRules } from '../../core/quantization/target-rules.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { idleMemoryBytes, peakMemoryBytes } from '../memory.ts'
import { freeGarbage } from '../runtimes/garbage.ts'
import { countInt8Kernels } from '../runtimes/int8-kernels.ts'
import { onnxRuntimeVersion } from '../runtimes/onnx-runtime.ts'
import { countPackedKernels } from '../runtimes/packed-kernels.ts'
import { type CalibrationFeeds, someFeeds } from './calibration-feeds.ts'
import { carryPreprocessing, inputTypes } from './carried-preprocessing.ts'
import { writeLineage } from './lineage.ts'
import { applyStep } from './recipe-steps.ts'
import type { AccuracyBudget, StepContext, StepFacts, StepResult } from './step-context.ts'
import { verifyBuild } from './verification.ts'

/** A request to make a build. */
export type OptimizeRequest = Extract<EngineRequest, { command: 'optimize' }>

/** A model made by a recipe, not yet written. */
export interface Build {
  readonly bytes: Uint8Array
  readonly summary: OptimizeSummary
}

/** Samples to verify with: enough to see a broken build, few enough not to be felt. */
const VERIFICATION_FEEDS = 32
/** Below 10 dB the noise has a third of the signal's size: answers will change. */
const POOR_DB = 10
/** Fewer samples leave ranges to chance. */
const FEW_SAMPLES = 32
/** A build that saves less than this share of the file is not called smaller. */
const SMALLER = 0.95

/**
 * Applies a recipe's steps in order, writes lineage and preprocessing into the model and verifies it by running it beside its source.
 *
 * @param inputs samples for calibration and verification (without them verification uses generated inputs), their preprocessing, and the
 *   accuracy budget
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, `BUILD_VERIFICATION_FAILED`, errors of the model
 */
export async function makeBuild(
  source: Uint8Array,
  request: Omit<OptimizeRequest, 'command' | 'modelPath' | 'outPath' | 'samples' | 'budget'>,
  { calibration, budget, preprocessing }: BuildInputs,
  runtime: InferenceRuntime,
  reporter: JobReporter,
): Promise<Build> {
  const started = performance.now()
  const phases = new PhaseClock(reporter)
  const { recipe, target } = request
  const input = { sizeBytes: source.length, sha256: sha256Of(source) }
  const calibrationSamples = calibration && usesCalibration(recipe) ? calibration.samples : 0
  const decoded = decodeModel(source, request.modelName)
  const fixedInputs = dropOverridableInputs(decoded)
  const sourceInputs = inputTypes(decoded)
  const applied = await applyRecipe(decoded, source, recipe, {
    runtime,
    target,
    calibration,
    budget,
    progress: phases.progress,
    log: phases.log,
  })
  const { model, steps, results } = applied
  carryPreprocessing(model, sourceInputs, preprocessing)
  writeLineage(model, {
    source: { name: request.modelName, sha256: input.sha256 },
    history: request.lineage,
    recipe,
    target,
    tool: { name: 'edgesmith', version: request.edgesmithVersion, onnxRuntime: onnxRuntimeVersion },
    calibration: calibrationSamples > 0 && request.calibration ? { dataset: request.calibration.name, samples: calibrationSamples } : null,
  })
  const bytes = encodeModel(model)
  const someSamples = applied.calibration && someFeeds(applied.calibration, VERIFICATION_FEEDS)
  const fidelity = await verifyBuild(applied.reference, bytes, someSamples, target, runtime, (done, total) => {
    phases.progress('verifying', done, total, 'samples')
  })
  phases.progress('counting kernels', 0, null, 'kernels')
  const fused = await fusedNodes(bytes, recipe, target)
  const summary: OptimizeSummary = {
    input,
    output: { sizeBytes: bytes.length, sha256: sha256Of(bytes) },
    steps,
    target,
    quantizedNodes: new Set(results.flatMap(({ changed }) => changed)).size,
    fusedNodes: fused.count,
    skipped: results.flatMap(({ skipped }) => [...skipped]),
    fidelity,
    calibrationSamples,
    ...NO_FACTS,
    ...Object.assign({}, ...results.map(({ facts }) => facts ?? {})),
    warnings: [
      ...fixedInputWarnings(fixedInputs),
      ...results.flatMap(({ warnings }) => [...warnings]),
      ...fused.warnings,
      ...sizeWarnings(input.sizeBytes, bytes.length, recipe),
      ...calibrationWarnings(calibrationSamples),
      ...fidelityWarnings(fidelity),
    ],
    phases: phases.ended(),
    idleRssBytes: idleMemoryBytes(),
    peakRssBytes: peakMemoryBytes(),
    durationMs: performance.now() - started,
  }
  return { bytes, summary }
}

/** What is given beside the model. */
export interface BuildInputs {
  readonly calibration: CalibrationFeeds | undefined
  readonly budget?: AccuracyBudget | undefined
  /** Of the calibration data; it is written into the build. */
  readonly preprocessing?: Preprocessing | undefined
}

/** Of steps that find out nothing of the kind. */
const NO_FACTS: Required<StepFacts> = {
  sparsity: null,
  calibrator: null,
  calibratorTrials: [],
  tensors: [],
  weights: [],
  mixedPrecision: null,
  channelPruning: null,
}

interface AppliedRecipe {
  readonly model: ModelProto
  readonly steps: OptimizeSummary['steps']
  readonly results: readonly StepResult[]
  /** The model whose inputs and outputs the build has: the source, unless a step changed them. */
  readonly reference: Uint8Array
  readonly calibration: CalibrationSamples | undefined
}

async function applyRecipe(
  decoded: ModelProto,
  source: Uint8Array,
  recipe: readonly RecipeStep[],
  context: StepContext,
): Promise<AppliedRecipe> {
  const steps: OptimizeSummary['steps'] = []
  const results: StepResult[] = []
  let model = decoded
  let reference = source
  let { calibration } = context
  for (const [index, step] of recipe.entries()) {
    context.progress('preparing', index, recipe.length, 'steps')
    const started = performance.now()
    const result = await applyStep(model, step, { ...context, calibration })
    steps.push({ recipe: step.recipe, durationMs: performance.now() - started })
    results.push(result)
    model = result.model
    calibration = result.calibration ?? calibration
    if (result.newReference) reference = encodeModel(model)
  }
  return { model, steps, results, reference, calibration }
}

/** Passes progress on, and adds up the time of each phase: from its first report to the first of another. */
class PhaseClock {
  private readonly reporter: JobReporter
  private readonly durations = new Map<string, number>()
  private current: { readonly phase: string; readonly since: number } | undefined

  constructor(reporter: JobReporter) {
    this.reporter = reporter
  }

  readonly progress: StepContext['progress'] = (phase, done, total, unit) => {
    if (phase !== this.current?.phase) {
      freeGarbage()
      this.end()
      this.current = { phase, since: performance.now() }
    }
    this.reporter.progress({ phase, done, total, unit })
  }

  readonly log = (text: string): void => this.reporter.log(text)

  /** Ends the current phase; the times of all, in the order they began. */
  ended(): OptimizeSummary['phases'] {
    this.end()
    return [...this.durations].map(([phase, durationMs]) => ({ phase, durationMs }))
  }

  private end(): void {
    if (!this.current) return
    const { phase, since } = this.current
    this.durations.set(phase, (this.durations.get(phase) ?? 0) + performance.now() - since)
    this.current = undefined
  }
}

/** Kernels for 8-bit values and for packed weights that come out when the build is loaded here, and what is to be said about the number. */
async function fusedNodes(
  build: Uint8Array,
  recipe: readonly RecipeStep[],
  target: Target,
): Promise<{ readonly count: number; readonly warnings: readonly string[] }> {
  const names = new Set(recipe.map((step) => step.recipe))
  const packed = names.has('int8-weights') || names.has('int4-weights') ? (await countPackedKernels(build)).fused.size : 0
  if (!names.has('int8-static') && !names.has('int8-dynamic')) return { count: packed, warnings: [] }
  if (target === 'tensorrt')
    return { count: 0, warnings: ['TensorRT chooses its kernels on the device: fused nodes cannot be counted here.'] }
  const { signedKernels, weightScale } = targetRules(target)
  const { kernels } = await countInt8Kernels(build, { signedActivations: signedKernels })
  const warnings: string[] = []
  if (signedKernels !== (process.arch === 'arm64'))
    warnings.push(`Fused nodes were counted on this computer (${process.arch}) with the rules of ${target}.`)
  if (weightScale === 'full-range' && process.arch === 'x64')
    warnings.push(
      `Made for ${target}: on x64 processors without VNNI its products saturate and it is less accurate. Measure it on the target.`,
    )
  return { count: kernels.length + packed, warnings }
}

/** Recipes that are not meant to make the file smaller; magnitude pruning says so itself. */
const SAME_SIZE: ReadonlySet<string> = new Set(['prune-magnitude', 'extract', 'dynamic-batch', 'opset'])

/** A build that was to be smaller and is not. */
function sizeWarnings(before: number, after: number, recipe: readonly RecipeStep[]): string[] {
  if (after < before * SMALLER || recipe.every(({ recipe: name }) => SAME_SIZE.has(name))) return []
  return [`The build is not smaller than its source (${before} bytes, now ${after}): hardly any weights could be converted.`]
}

function fixedInputWarnings(names: readonly string[]): string[] {
  if (names.length === 0) return []
  return [`${names.length} weights were also inputs that a caller could override; in the build they are constants.`]
}

function calibrationWarnings(samples: number): string[] {
  if (samples === 0 || samples >= FEW_SAMPLES) return []
  return [`Calibration used ${samples} ${samples === 1 ? 'sample' : 'samples'} only; ${FEW_SAMPLES} or more make them reliable.`]
}

function fidelityWarnings({ sqnrDb, samples, inputs }: Fidelity): string[] {
  if (sqnrDb === null || sqnrDb >= POOR_DB) return []
  return [
    `The outputs are far from the source model's (${sqnrDb.toFixed(1)} dB signal to noise on ${samples} ${inputs} inputs). Measure the accuracy before using this build.`,
  ]
}
