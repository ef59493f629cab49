import { createHash } from 'node:crypto'
import type { ModelProto } from 'onnx-buf'
import type { EngineRequest } from '../../contract/engine-protocol.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { Target } from '../../contract/names.ts'
import { type Fidelity, needsCalibration, type OptimizeSummary, type RecipeStep } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { dropOverridableInputs } from '../../core/onnx/constant-inputs.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { targetRules } from '../../core/quantization/target-rules.ts'
import { countInt8Kernels } from '../runtimes/int8-kernels.ts'
import { onnxRuntimeVersion } from '../runtimes/onnx-runtime.ts'
import { type CalibrationFeeds, someFeeds } from './calibration-feeds.ts'
import { writeLineage } from './lineage.ts'
import { applyStep, type StepContext, type StepResult } from './recipe-steps.ts'
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
 * Applies a recipe's steps in order, writes the lineage into the model and verifies it by running it beside its source.
 *
 * @param calibration samples for calibration and verification; without them verification uses generated inputs
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, `BUILD_VERIFICATION_FAILED`, errors of the model
 */
export async function makeBuild(
  source: Uint8Array,
  request: Omit<OptimizeRequest, 'command' | 'modelPath' | 'outPath' | 'samples'>,
  calibration: CalibrationFeeds | undefined,
  runtime: InferenceRuntime,
  reporter: JobReporter,
): Promise<Build> {
  const started = performance.now()
  const { recipe, target } = request
  const input = { sizeBytes: source.length, sha256: sha256(source) }
  const calibrationSamples = calibration && needsCalibration(recipe) ? calibration.samples : 0
  const decoded = decodeModel(source, request.modelName)
  const fixedInputs = dropOverridableInputs(decoded)
  const { model, steps, results } = await applyRecipe(decoded, recipe, stepContext(target, calibration, runtime, reporter), reporter)
  writeLineage(model, {
    source: { name: request.modelName, sha256: input.sha256 },
    history: request.lineage,
    recipe,
    target,
    tool: { name: 'edgesmith', version: request.edgesmithVersion, onnxRuntime: onnxRuntimeVersion },
    calibration: calibrationSamples > 0 && request.calibration ? { dataset: request.calibration.name, samples: calibrationSamples } : null,
  })
  const bytes = encodeModel(model)
  const someSamples = calibration && someFeeds(calibration, VERIFICATION_FEEDS)
  const fidelity = await verifyBuild(source, bytes, someSamples, target, runtime, (done, total) => {
    reporter.progress({ phase: 'verifying', done, total, unit: 'samples' })
  })
  const fused = await fusedNodes(bytes, recipe, target)
  const summary: OptimizeSummary = {
    input,
    output: { sizeBytes: bytes.length, sha256: sha256(bytes) },
    steps,
    target,
    quantizedNodes: new Set(results.flatMap(({ changed }) => changed)).size,
    fusedNodes: fused.count,
    skipped: results.flatMap(({ skipped }) => [...skipped]),
    sparsity: results.findLast(({ sparsity }) => sparsity !== undefined)?.sparsity ?? null,
    fidelity,
    calibrationSamples,
    warnings: [
      ...fixedInputWarnings(fixedInputs),
      ...results.flatMap(({ warnings }) => [...warnings]),
      ...fused.warnings,
      ...sizeWarnings(input.sizeBytes, bytes.length, recipe),
      ...calibrationWarnings(calibrationSamples),
      ...fidelityWarnings(fidelity),
    ],
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    durationMs: performance.now() - started,
  }
  return { bytes, summary }
}

interface AppliedRecipe {
  readonly model: ModelProto
  readonly steps: OptimizeSummary['steps']
  readonly results: readonly StepResult[]
}

async function applyRecipe(
  source: ModelProto,
  recipe: readonly RecipeStep[],
  context: StepContext,
  reporter: JobReporter,
): Promise<AppliedRecipe> {
  const steps: OptimizeSummary['steps'] = []
  const results: StepResult[] = []
  let model = source
  for (const [index, step] of recipe.entries()) {
    reporter.progress({ phase: 'preparing', done: index, total: recipe.length, unit: 'steps' })
    const started = performance.now()
    const result = await applyStep(model, step, context)
    steps.push({ recipe: step.recipe, durationMs: performance.now() - started })
    results.push(result)
    model = result.model
  }
  return { model, steps, results }
}

function stepContext(
  target: Target,
  calibration: CalibrationFeeds | undefined,
  runtime: InferenceRuntime,
  reporter: JobReporter,
): StepContext {
  const total = calibration?.feeds ?? 0
  return {
    runtime,
    target,
    calibration,
    calibrated: (done) => {
      reporter.progress({ phase: 'calibrating', done, total, unit: 'samples' })
      if (done === total) reporter.progress({ phase: 'quantizing', done: 0, total: null, unit: 'nodes' })
    },
    log: (text) => reporter.log(text),
  }
}

/** 8-bit kernels that come out when the build is loaded here, and what is to be said about the number. */
async function fusedNodes(
  build: Uint8Array,
  recipe: readonly RecipeStep[],
  target: Target,
): Promise<{ readonly count: number; readonly warnings: readonly string[] }> {
  if (!recipe.some((step) => step.recipe === 'int8-static' || step.recipe === 'int8-dynamic')) return { count: 0, warnings: [] }
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
  return { count: kernels.length, warnings }
}

/** A build that was to be smaller and is not; magnitude pruning alone never is, and says so itself. */
function sizeWarnings(before: number, after: number, recipe: readonly RecipeStep[]): string[] {
  if (after < before * SMALLER || recipe.every((step) => step.recipe === 'prune-magnitude')) return []
  return [`The build is not smaller than its source (${before} bytes, now ${after}): hardly any weights could be converted.`]
}

function fixedInputWarnings(names: readonly string[]): string[] {
  if (names.length === 0) return []
  return [`${names.length} weights were also inputs that a caller could override; in the build they are constants.`]
}

function calibrationWarnings(samples: number): string[] {
  if (samples === 0 || samples >= FEW_SAMPLES) return []
  return [`Ranges were measured on ${samples} ${samples === 1 ? 'sample' : 'samples'} only; ${FEW_SAMPLES} or more make them reliable.`]
}

function fidelityWarnings({ sqnrDb, samples, inputs }: Fidelity): string[] {
  if (sqnrDb === null || sqnrDb >= POOR_DB) return []
  return [
    `The outputs are far from the source model's (${sqnrDb.toFixed(1)} dB signal to noise on ${samples} ${inputs} inputs). Measure the accuracy before using this build.`,
  ]
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
