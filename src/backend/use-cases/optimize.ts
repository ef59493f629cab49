import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { needsCalibration } from '../../contract/recipe.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { datasetSource } from './datasets.ts'
import { inspectModel, withoutNodes } from './models.ts'
import { hostTarget } from './workspace.ts'

/** Making builds. */
export function optimizeHandlers(services: Services): HandlersOf<'optimize'> {
  return {
    'optimize.start': (input) => {
      const model = services.models.get(input.modelId)
      if (input.calibrationId) services.datasets.get(input.calibrationId)
      else if (needsCalibration(input.recipe)) {
        throw new EdgesmithError('CALIBRATION_NEEDED', `The recipe ${recipeTitle(input.recipe)} needs calibration data`, {
          hint: 'Give a dataset of a few hundred typical inputs (--calibration on the command line); labels are not needed.',
        })
      }
      const jobId = services.queue.start({
        kind: 'optimize.start',
        title: `Make ${recipeTitle(input.recipe)} of ${model.name}`,
        machine: { key: 'local', mode: 'shared' },
        run: (context) => optimize(services, model, input, context),
      })
      return { jobId }
    },
  }
}

async function optimize(services: Services, source: Model, input: ProcedureArguments<'optimize.start'>, context: JobContext) {
  const { blobs, models, layout } = services
  const target = input.target ?? (await hostTarget(services))
  const calibration = input.calibrationId ? datasetSource(services.datasets.get(input.calibrationId), (sha256) => blobs.path(sha256)) : null
  const temporary = await blobs.temporaryPath()
  try {
    const summary = await runEngine(
      {
        command: 'optimize',
        modelPath: blobs.path(source.sha256),
        modelName: source.name,
        recipe: input.recipe,
        target,
        calibration,
        samples: input.samples,
        outPath: temporary,
        edgesmithVersion: layout.version,
        lineage: lineageOf(services, source),
      },
      { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
    )
    const { sha256, sizeBytes } = await blobs.adopt(temporary)
    const draft: Model = {
      id: randomUUID(),
      name: input.name ?? `${source.name} ${recipeTitle(input.recipe)}`.slice(0, 110),
      kind: 'build',
      sha256,
      sizeBytes,
      createdAt: new Date().toISOString(),
      report: source.report,
      parentId: source.id,
      recipe: input.recipe,
      target,
      summary,
      source: null,
    }
    const model = models.add({ ...draft, report: withoutNodes(await inspectModel(services, draft)) })
    announce(services, 'models')
    return { model, summary }
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Recipes that led from the imported model to `model`, oldest first. */
function lineageOf(services: Services, model: Model): unknown[] {
  const own = model.recipe ? [{ recipe: model.recipe, target: model.target, sha256: model.sha256 }] : []
  return model.parentId ? [...lineageOf(services, services.models.get(model.parentId)), ...own] : own
}

/** `prune-magnitude + int8-static`. */
export function recipeTitle(recipe: readonly { readonly recipe: string }[]): string {
  return recipe.map((step) => step.recipe).join(' + ')
}
