import { rmSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { EdgesmithError } from '../../contract/errors.ts'
import { kernelOrigins } from '../../core/explanation/kernel-origin.ts'
import type { ModelProfile, ProfiledKernel } from '../../core/explanation/model-profile.ts'
import { renameModel } from '../../core/explanation/renamed-model.ts'
import type { NamedTensors } from '../../core/inference-runtime.ts'
import { Graph } from '../../core/onnx/graph.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { PROFILE_LINES, readProfile } from './profile-file.ts'
import { runError } from './runtime-errors.ts'
import { openSession } from './session.ts'
import { tensorPorts, toFeeds } from './tensors.ts'

/** A model and what it is run on. */
export interface ProfiledModel {
  readonly model: Uint8Array
  readonly feeds: NamedTensors
}

export interface ProfileOptions {
  /** Threads inside an operator; default 1. */
  readonly threads?: number
  /** Most runs of each model that count; default 100. */
  readonly runs?: number
  /** Runs before them; default 3. */
  readonly warmupRuns?: number
  /** Fewer runs (but {@link FEWEST_RUNS}) when all would take longer than this, warm-up left out; default 3000. */
  readonly budgetMs?: number
  /** What becomes of a kernel's microseconds in all runs; default their median. */
  readonly combine?: (us: readonly number[]) => number
  /** Called between runs; may throw to stop. */
  readonly onRun?: (done: number, total: number) => void
}

/** A median of fewer says nothing. */
const FEWEST_RUNS = 3
/** Runs of one model before the other's turn comes: enough to have its own cache contents … */
const BLOCK_RUNS = 10
/** … and short against a change of clock speed or a neighbour's work. */
const BLOCK_MS = 50
/** Lines of each run besides those of the kernels. */
const LINES_PER_RUN = 2

/** Where the time of a model goes, kernel by kernel. @throws as {@link profileInterleaved} */
export async function profileNodes(model: Uint8Array, feeds: NamedTensors, options: ProfileOptions = {}): Promise<ModelProfile> {
  const [profile] = await profileInterleaved([{ model, feeds }], options)
  return profile!
}

/**
 * Profiles models beside each other with ONNX Runtime's profiler, all graph optimizations on, as a user's program would run them.
 * Blocks of runs alternate (A B, B A, A B …), so that clock speed and neighbours hit all alike. The profiler adds a few
 * microseconds to each kernel and rounds to whole ones. All sessions are open at once.
 *
 * @throws EdgesmithError `MODEL_LOAD_FAILED` and relatives, `MODEL_RUN_FAILED`, `TOO_LARGE` for a model of too many kernels
 */
export async function profileInterleaved(models: readonly ProfiledModel[], options: ProfileOptions = {}): Promise<ModelProfile[]> {
  const { threads = 1, runs: wanted = 100, warmupRuns = 3, budgetMs = 3000, combine, onRun = () => {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-profile-'))
  // A cancelled agent ends in the middle of this: rewritten models must not stay behind.
  const removeAtExit = () => {
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch {
      // Windows keeps what is open.
    }
  }
  process.on('exit', removeAtExit)
  const sessions: ProfiledSession[] = []
  try {
    for (const [index, model] of models.entries()) sessions.push(await ProfiledSession.open(model, join(folder, `${index}`), threads))
    let slowestMs = 0
    const warmup = Math.max(1, warmupRuns)
    for (let run = 0; run < warmup; run++) {
      const start = performance.now()
      for (const session of sessions) await session.run()
      slowestMs = performance.now() - start
      // A second warm-up of a slow model is time better spent on a run that counts.
      if (slowestMs * (warmup - run - 1) > budgetMs) break
    }
    const warmed = sessions[0]?.runs ?? 0
    const most = Math.min(...sessions.map(({ kernelCount }) => Math.floor(PROFILE_LINES / (kernelCount + LINES_PER_RUN)) - warmed))
    if (most < FEWEST_RUNS) throw new EdgesmithError('TOO_LARGE', 'The model runs too many kernels to be profiled.')
    const runs = Math.max(FEWEST_RUNS, Math.min(wanted, most, Math.floor(budgetMs / slowestMs)))
    const block = Math.max(1, Math.min(BLOCK_RUNS, Math.floor(BLOCK_MS / slowestMs)))
    for (let done = 0, turn = 0; done < runs; turn++) {
      const count = Math.min(block, runs - done)
      for (const session of turn % 2 === 0 ? sessions : [...sessions].reverse()) {
        for (let run = 0; run < count; run++) await session.run()
      }
      done += count
      onRun(done, runs)
    }
    const profiles: ModelProfile[] = []
    for (const session of sessions) profiles.push(await session.finish(warmed, combine))
    return profiles
  } finally {
    for (const session of sessions) await session.close()
    await rm(folder, { recursive: true, force: true })
    process.off('exit', removeAtExit)
  }
}

/** A session whose kernels are timed. */
class ProfiledSession {
  runs = 0
  private readonly original: Graph
  private readonly renamed: Graph
  private readonly rewritten: Graph
  private readonly session: InferenceSession
  private readonly feeds: Record<string, Tensor>
  private readonly prefix: string

  private constructor(
    graphs: { readonly original: Graph; readonly renamed: Graph; readonly rewritten: Graph },
    session: InferenceSession,
    feeds: Record<string, Tensor>,
    prefix: string,
  ) {
    this.original = graphs.original
    this.renamed = graphs.renamed
    this.rewritten = graphs.rewritten
    this.session = session
    this.feeds = feeds
    this.prefix = prefix
  }

  /** @param prefix path that all its files begin with */
  static async open({ model, feeds }: ProfiledModel, prefix: string, threads: number): Promise<ProfiledSession> {
    const copy = decodeModel(model, 'the model')
    const names = renameModel(copy)
    const renamedFeeds = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [names.get(name) ?? name, tensor]))
    const optimizedModelPath = `${prefix}.onnx`
    const profilePrefix = `${prefix}-profile`
    const session = await openSession(encodeModel(copy), {
      optimization: 'all',
      intraOpThreads: threads,
      optimizedModelPath,
      profilePrefix,
    })
    try {
      const original = new Graph(decodeModel(model, 'the model'))
      const rewritten = new Graph(decodeModel(await readFile(optimizedModelPath), 'the rewritten model'))
      await rm(optimizedModelPath)
      const tensors = toFeeds(renamedFeeds, tensorPorts(session.inputMetadata))
      return new ProfiledSession({ original, renamed: new Graph(copy), rewritten }, session, tensors, prefix)
    } catch (error) {
      await session.release()
      throw error
    }
  }

  /** Kernels of one run, as far as the graph tells: a loop runs those of its body again and again. */
  get kernelCount(): number {
    return this.rewritten.scopes().reduce((sum, { nodes }) => sum + nodes.length, 0)
  }

  async run(): Promise<void> {
    try {
      await this.session.run(this.feeds)
      this.runs++
    } catch (error) {
      throw runError(error)
    }
  }

  /** Writes and reads the profile; no runs afterwards. */
  async finish(warmupRuns: number, combine?: ProfileOptions['combine']): Promise<ModelProfile> {
    this.session.endProfiling()
    const folder = join(this.prefix, '..')
    const start = `${this.prefix.slice(folder.length + 1)}-profile`
    const file = (await readdir(folder)).find((name) => name.startsWith(start))
    if (file === undefined) throw new Error('ONNX Runtime wrote no profile')
    const { kernels, runMs, runs } = await readProfile(join(folder, file), warmupRuns, combine)
    return { graph: this.original, rewritten: this.rewritten, kernels: this.withOrigins(kernels), runMs, runs }
  }

  async close(): Promise<void> {
    await this.session.release()
  }

  private withOrigins(timings: Awaited<ReturnType<typeof readProfile>>['kernels']): ProfiledKernel[] {
    const originals = this.original.scopes().flatMap((scope) => [...scope.nodes])
    const places = new Map(
      this.renamed
        .scopes()
        .flatMap((scope) => [...scope.nodes])
        .map((node, place) => [node, place]),
    )
    const origins = kernelOrigins(this.renamed, this.rewritten)
    const byName = new Map([...origins.keys()].filter(({ name }) => name !== '').map((node) => [node.name, node]))
    // The profiler calls a kernel without a name by its operator and a number that rises with its place.
    const nameless = [...origins.keys()].filter(({ name }) => name === '')
    return timings.map((timing): ProfiledKernel => {
      const index = nameless.findIndex(({ opType }) => timing.name.startsWith(`${opType}_`))
      const rewritten = byName.get(timing.name) ?? (index < 0 ? undefined : nameless.splice(index, 1)[0])
      const nodes = rewritten ? origins.get(rewritten)!.map((node) => originals[places.get(node)!]!) : []
      return { ...timing, domain: rewritten?.domain ?? '', nodes, rewritten }
    })
  }
}
