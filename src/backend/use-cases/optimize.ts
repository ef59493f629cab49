import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { Target } from '../../contract/names.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { needsCalibration, type OptimizeSummary, type Recipe } from '../../contract/recipe.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { datasetSource } from './dataset-source.ts'
import { requireLabels } from './datasets.ts'
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
      if (input.budget) requireBudgetMakesSense(services, input.recipe, input.budget.datasetId)
      const jobId = services.queue.start({
        kind: 'optimize.start',
        title: `Make ${recipeTitle(input.recipe)} of ${model.name}`,
        machine: { key: 'local', mode: isTimed(input) ? 'exclusive' : 'shared' },
        run: async (context) => {
          const target = input.target ?? (await hostTarget(services))
          const build = await makeBuild(services, model, { ...input, target }, context)
          return { model: build, summary: build.summary as OptimizeSummary }
        },
      })
      return { jobId }
    },
  }
}

/** Searches that time nodes or candidates on this computer must be alone on it. */
function isTimed({ recipe, budget }: Pick<ProcedureArguments<'optimize.start'>, 'recipe' | 'budget'>): boolean {
  return budget !== undefined || recipe.some((step) => step.recipe === 'prune-channels' && step.goal === 'latency')
}

/** @throws EdgesmithError `USAGE`, `DATASET_LABELS`, `NOT_FOUND` */
function requireBudgetMakesSense(services: Services, recipe: Recipe, datasetId: string): void {
  if (!recipe.some((step) => step.recipe === 'int8-static')) {
    throw new EdgesmithError('USAGE', 'An accuracy budget is for recipes with int8-static: it decides what that step leaves in float32')
  }
  requireLabels(services.datasets.get(datasetId))
}

/** What a build is made with. */
export interface BuildOrder {
  readonly recipe: Recipe
  readonly target: Target
  readonly calibrationId?: string | undefined
  readonly samples: number
  readonly name?: string | undefined
  readonly budget?: ProcedureArguments<'optimize.start'>['budget']
}

/** Makes a build in an engine process and keeps it. @throws EdgesmithError what the engine says; `NOT_FOUND` */
export async function makeBuild(services: Services, source: Model, order: BuildOrder, context: JobContext): Promise<Model> {
  const { blobs, models, datasets, layout } = services
  const { recipe, target, budget } = order
  const dataset = (id: string) => datasetSource(datasets.get(id), (sha256) => blobs.path(sha256))
  const temporary = await blobs.temporaryPath()
  try {
    const summary = await runEngine(
      {
        command: 'optimize',
        modelPath: blobs.path(source.sha256),
        modelName: source.name,
        recipe,
        target,
        calibration: order.calibrationId ? dataset(order.calibrationId) : null,
        samples: order.samples,
        budget: budget ? { maxAccuracyDrop: budget.maxAccuracyDrop, labelled: dataset(budget.datasetId) } : null,
        outPath: temporary,
        edgesmithVersion: layout.version,
        lineage: lineageOf(services, source),
      },
      { entry: layout.engineEntry, reporter: context, signal: context.signal, onPid: (pid) => context.enginePid(pid) },
    )
    const { sha256, sizeBytes } = await blobs.adopt(temporary)
    const draft: Model = {
      id: randomUUID(),
      name: order.name ?? buildName(source, recipeTitle(recipe)),
      kind: 'build',
      sha256,
      sizeBytes,
      createdAt: new Date().toISOString(),
      report: source.report,
      parentId: source.id,
      recipe,
      target,
      summary,
      source: null,
    }
    const model = models.add({ ...draft, report: withoutNodes(await inspectModel(services, draft)) })
    announce(services, 'models')
    return model
  } finally {
    await rm(temporary, { force: true })
  }
}

/** A build's name when nobody gave one. */
export function buildName(source: Model, made: string): string {
  return `${source.name} ${made}`.slice(0, 110)
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
