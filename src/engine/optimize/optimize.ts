import { readFile } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { JobReporter } from '../../contract/job.ts'
import type { OptimizeSummary } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { writeFileWhole } from '../../platform/write-file.ts'
import { type OpenDataset, openDataset } from '../datasets/open-dataset.ts'
import { accuracyBudget } from './accuracy-budget.ts'
import { calibrationFeeds } from './calibration-feeds.ts'
import { makeBuild, type OptimizeRequest } from './make-build.ts'

/**
 * Makes a build from a file: see {@link makeBuild}. Nothing is written when anything fails.
 *
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, `BUILD_VERIFICATION_FAILED`, errors of
 *   model, dataset and file system
 */
export async function optimizeModel(request: OptimizeRequest, runtime: InferenceRuntime, reporter: JobReporter): Promise<OptimizeSummary> {
  const source = await readFile(request.modelPath)
  if (request.budget && request.recipe.some(({ recipe }) => recipe === 'extract')) {
    throw new EdgesmithError('RECIPE_INVALID', 'An accuracy budget cannot be kept while extract changes inputs or outputs.', {
      hint: 'Make the extracted model first, then optimize that one with --max-accuracy-drop.',
    })
  }
  const dataset = await openCalibration(source, request, runtime)
  let budget: Awaited<ReturnType<typeof accuracyBudget>> | undefined
  try {
    budget = request.budget ? await accuracyBudget(source, request.budget, runtime) : undefined
    const inputs = { calibration: dataset && calibrationFeeds(dataset, request.samples), budget, preprocessing: dataset?.preprocessing }
    const build = await makeBuild(source, request, inputs, runtime, reporter)
    await writeFileWhole(request.outPath, build.bytes)
    return build.summary
  } finally {
    budget?.close()
    dataset?.close()
  }
}

async function openCalibration(source: Uint8Array, request: OptimizeRequest, runtime: InferenceRuntime): Promise<OpenDataset | undefined> {
  if (!request.calibration) return undefined
  const model = await runtime.load(source, { optimization: 'disabled' })
  await model.close()
  // What the first step replaces by a constant need not be in the dataset.
  const [first] = request.recipe
  const fixed = first?.recipe === 'extract' ? first.fixed : {}
  const inputs = model.inputs.filter(({ name }) => !Object.hasOwn(fixed, name))
  return openDataset(request.calibration, inputs)
}
