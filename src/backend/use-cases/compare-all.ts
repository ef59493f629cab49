import type { CompareAllResult } from '../../contract/compare-all.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { EvaluateResult } from '../../contract/evaluation.ts'
import type { Progress } from '../../contract/job.ts'
import type { Model } from '../../contract/model.ts'
import type { Target } from '../../contract/names.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { benchOn, evaluateOn, readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { type CandidateRecipe, candidateRecipes } from './candidate-recipes.ts'
import { compareModels } from './compare.ts'
import { requireLabels } from './datasets.ts'
import { contentHash } from './model-content.ts'
import { inspectModel } from './models.ts'
import { buildName, makeBuild } from './optimize.ts'
import { recommend } from './recommendation.ts'
import { hostTarget } from './workspace.ts'

type CompareAllInput = ProcedureArguments<'compareAll.start'>
type Entry = CompareAllResult['entries'][number]

/** A build by every recipe that makes sense, and one comparison of them all. */
export function compareAllHandlers(services: Services): HandlersOf<'compareAll'> {
  return {
    'compareAll.start': (input) => {
      const model = services.models.get(input.modelId)
      if (input.calibrationId) services.datasets.get(input.calibrationId)
      if (input.datasetId) requireLabels(services.datasets.get(input.datasetId))
      const device = services.devices.get(input.deviceId)
      const jobId = services.queue.start({
        kind: 'compareAll.start',
        title: `Try all recipes on ${model.name} and compare them on ${device.name}`,
        // Building and measuring need machines in different ways, so each part asks for its own.
        run: (context) => compareAll(services, model, input, context),
      })
      return { jobId }
    },
  }
}

async function compareAll(services: Services, source: Model, input: CompareAllInput, context: JobContext): Promise<CompareAllResult> {
  const target = input.target ?? (await hostTarget(services))
  const candidates = candidateRecipes(await inspectModel(services, source), target, input.calibrationId !== undefined)
  if (candidates.length === 0) {
    throw new EdgesmithError('RECIPE_NOT_APPLICABLE', `No recipe makes sense for ${source.name}`, {
      hint: 'It has no float weights in convolutions or matrix products, or is quantized already. Start from the float32 model.',
    })
  }
  const device = services.devices.get(input.deviceId)
  const machine = services.machineKey(device)
  const progress = new OverallProgress(candidates.length, context)
  // A source that cannot be measured is found out in seconds, not after minutes of building.
  const evaluation = await context.onMachine({ key: machine, mode: 'shared' }, () =>
    tryOut(services, source, input, progress.building(source.name, 0)),
  )
  const { entries, builds } = await buildAll(services, source, { ...input, target }, candidates, progress)
  if (builds.length === 0) return { comparison: null, entries, recommended: null }

  const measuring = progress.measuring()
  const comparison = await context.onMachine({ key: machine, mode: 'exclusive' }, () =>
    compareModels(services, [source, ...builds], input, measuring, evaluation),
  )
  return { comparison, entries, recommended: recommend(comparison, builds) }
}

/** Runs the source once on the device, and measures its accuracy when there are labels. @throws EdgesmithError when it cannot be measured there */
async function tryOut(services: Services, source: Model, input: CompareAllInput, context: JobContext): Promise<EvaluateResult | undefined> {
  const dataset = input.datasetId ? services.datasets.get(input.datasetId) : undefined
  const ready = await readyDevice(services, input.deviceId, { models: [source], datasets: dataset ? [dataset] : [] }, context)
  const { threads } = input.settings
  await benchOn(ready, source, { ...input.settings, runs: 1, seconds: undefined, warmupRuns: 0, warmupSeconds: 0 }, context)
  return dataset && evaluateOn(ready, source, dataset, { threads }, context)
}

interface BuildsMade {
  readonly entries: Entry[]
  /** Each build once, in the order of the candidates. */
  readonly builds: Model[]
}

/** Makes a build by each recipe. One that refuses becomes an entry with its error; builds that compute the same are kept once. */
async function buildAll(
  services: Services,
  source: Model,
  input: CompareAllInput & { readonly target: Target },
  candidates: readonly CandidateRecipe[],
  progress: OverallProgress,
): Promise<BuildsMade> {
  const { context } = progress
  const entries: Entry[] = []
  const builds: Model[] = []
  const known = new Map<string, Model>()
  for (const build of services.models.list()) {
    if (build.parentId === source.id) known.set(await contentHash(services.blobs.path(build.sha256)), build)
  }
  for (const [index, { title, recipe }] of candidates.entries()) {
    throwIfCancelled(context.signal)
    const order = {
      recipe,
      target: input.target,
      // Also for recipes that do not calibrate: what a build's outputs are worth is seen on real inputs.
      calibrationId: input.calibrationId,
      samples: input.samples,
      name: buildName(source, title),
    }
    try {
      const made = await context.onMachine({ key: 'local', mode: 'shared' }, () =>
        makeBuild(services, source, order, progress.building(title, index)),
      )
      const build = await keepOnce(services, made, known)
      if (!builds.some(({ id }) => id === build.id)) builds.push(build)
      entries.push({ title, recipe, modelId: build.id, error: null })
    } catch (error) {
      throwIfCancelled(context.signal)
      const { code, message, hint } = toErrorReport(error)
      context.log(`${title}: ${code}: ${message}`)
      entries.push({ title, recipe, modelId: null, error: { code, message, ...(hint !== undefined && { hint }) } })
    }
  }
  return { entries, builds }
}

/** The build, or an older one of the same source that computes the same: then the new one is dropped again. */
async function keepOnce(services: Services, made: Model, known: Map<string, Model>): Promise<Model> {
  const { models, blobs } = services
  const content = await contentHash(blobs.path(made.sha256))
  const older = known.get(content)
  if (!older) {
    known.set(content, made)
    return made
  }
  const unused = models.remove(made.id)
  if (unused) await blobs.remove(unused)
  announce(services, 'models')
  return older
}

/** One bar for the whole job: each candidate is a step to build, and measuring takes as many steps as building. */
class OverallProgress {
  readonly context: JobContext
  private readonly candidates: number

  constructor(candidates: number, context: JobContext) {
    this.candidates = candidates
    this.context = context
  }

  /** What one build reports. */
  building(title: string, index: number): JobContext {
    return this.shifted(({ phase }) => this.at(`${title}: ${phase}`, index))
  }

  /** What the comparison reports: its blocks fill the second half. */
  measuring(): JobContext {
    let reached = this.candidates
    return this.shifted(({ phase, done, total }) => {
      if (phase === 'measuring' && total) reached = this.candidates * (1 + done / total)
      return this.at(phase, Math.floor(reached))
    })
  }

  private at(phase: string, done: number): Progress {
    return { phase, done, total: 2 * this.candidates, unit: 'steps' }
  }

  private shifted(change: (progress: Progress) => Progress): JobContext {
    return { ...this.context, progress: (progress) => this.context.progress(change(progress)) }
  }
}
