import { readFile } from 'node:fs/promises'
import type { JobReporter } from '../../contract/job.ts'
import type { OptimizeSummary } from '../../contract/recipe.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { openDataset } from '../datasets/open-dataset.ts'
import { writeFileWhole } from '../models/write-file.ts'
import { type CalibrationFeeds, calibrationFeeds } from './calibration-feeds.ts'
import { makeBuild, type OptimizeRequest } from './make-build.ts'

/**
 * Makes a build from a file: see {@link makeBuild}. Nothing is written when anything fails.
 *
 * @throws EdgesmithError, CoreError `RECIPE_NOT_APPLICABLE`, `CALIBRATION_NEEDED`, `BUILD_VERIFICATION_FAILED`, errors of
 *   model, dataset and file system
 */
export async function optimizeModel(request: OptimizeRequest, runtime: InferenceRuntime, reporter: JobReporter): Promise<OptimizeSummary> {
  const source = await readFile(request.modelPath)
  const calibration = await openCalibration(source, request, runtime)
  const build = await makeBuild(source, request, calibration, runtime, reporter)
  await writeFileWhole(request.outPath, build.bytes)
  return build.summary
}

async function openCalibration(
  source: Uint8Array,
  request: OptimizeRequest,
  runtime: InferenceRuntime,
): Promise<CalibrationFeeds | undefined> {
  if (!request.calibration) return undefined
  const model = await runtime.load(source, { optimization: 'disabled' })
  await model.close()
  return calibrationFeeds(await openDataset(request.calibration, model.inputs), request.samples)
}
