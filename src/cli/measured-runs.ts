import { EdgesmithError } from '../contract/errors.ts'
import type { ProcedureInput } from '../contract/procedures.ts'
import type { CommandContext } from './command.ts'

/** What a report is made of. */
export type ReportedRuns = Required<
  Pick<ProcedureInput<'report.write'>, 'comparisonIds' | 'benchmarkIds' | 'evaluationIds' | 'analysisIds' | 'matrixIds' | 'validationIds'>
>

type Kind = keyof ReportedRuns

interface Run {
  readonly kind: Kind
  readonly id: string
  readonly jobId: string
  readonly createdAt: string
  /** Of a sweep: its benchmarks belong together. */
  readonly sweepId: string | null
}

const nouns: Readonly<Record<Kind, string>> = {
  comparisonIds: 'comparison',
  benchmarkIds: 'benchmark',
  evaluationIds: 'evaluation',
  analysisIds: 'analysis',
  matrixIds: 'matrix',
  validationIds: 'validation',
}

/** Shortest beginning of an id that is taken for one, as listings show it. */
const ID_PREFIX = 8
/** Candidates an error lists. */
const MAX_LISTED = 10

/**
 * Comparisons, benchmarks, evaluations, analyses, matrices and validations by id or its beginning, by the id of a job or sweep (all it made), or `latest`.
 *
 * @throws EdgesmithError `NOT_FOUND`, `USAGE` when a beginning fits several
 */
export async function findRuns(context: CommandContext, texts: readonly string[]): Promise<ReportedRuns> {
  const { all, newestFirst } = await listRuns(context)
  const found = texts.flatMap((text) => (text === 'latest' ? latest(newestFirst) : matching(text, all, newestFirst)))
  const idsOf = (kind: Kind) => [...new Set(found.filter((run) => run.kind === kind).map(({ id }) => id))]
  return {
    comparisonIds: idsOf('comparisonIds'),
    benchmarkIds: idsOf('benchmarkIds'),
    evaluationIds: idsOf('evaluationIds'),
    analysisIds: idsOf('analysisIds'),
    matrixIds: idsOf('matrixIds'),
    validationIds: idsOf('validationIds'),
  }
}

/** Everything stored, and what stands by itself: runs of a comparison or matrix come along with it. */
async function listRuns(context: CommandContext): Promise<{ readonly all: readonly Run[]; readonly newestFirst: readonly Run[] }> {
  const backend = await context.backend()
  const comparisons = await backend.call('comparisons.list', {})
  const benchmarks = await backend.call('benchmarks.list', {})
  const evaluations = await backend.call('evaluations.list', {})
  const analyses = await backend.call('analyses.list', {})
  const matrices = await backend.call('matrices.list', {})
  const validations = await backend.call('validations.list', {})
  const inMatrix = new Set(matrices.flatMap(({ cells }) => cells.flatMap(({ benchmarkId, evaluationId }) => [benchmarkId, evaluationId])))
  const run = (kind: Kind, { id, jobId, createdAt }: Pick<Run, 'id' | 'jobId' | 'createdAt'>, sweepId: string | null = null): Run => ({
    kind,
    id,
    jobId,
    createdAt,
    sweepId,
  })
  const alone = <T extends { readonly id: string; readonly comparisonId: string | null }>(runs: readonly T[]) =>
    runs.filter(({ id, comparisonId }) => comparisonId === null && !inMatrix.has(id))
  const compared = comparisons.map((comparison) => run('comparisonIds', comparison))
  const analysed = analyses.map((analysis) => run('analysisIds', analysis))
  const crossed = matrices.map((matrix) => run('matrixIds', matrix))
  // Which job made it is not told with it.
  const validated = validations.map(({ id, createdAt }) => run('validationIds', { id, createdAt, jobId: '' }))
  const newestFirst = [
    ...crossed,
    ...compared,
    ...alone(benchmarks).map((benchmark) => run('benchmarkIds', benchmark, benchmark.sweepId)),
    ...alone(evaluations).map((evaluation) => run('evaluationIds', evaluation)),
    ...analysed,
    ...validated,
  ].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
  return {
    all: [
      ...crossed,
      ...compared,
      ...benchmarks.map((benchmark) => run('benchmarkIds', benchmark, benchmark.sweepId)),
      ...evaluations.map((evaluation) => run('evaluationIds', evaluation)),
      ...analysed,
      ...validated,
    ],
    newestFirst,
  }
}

function latest(newestFirst: readonly Run[]): Run[] {
  const [newest] = newestFirst
  if (!newest)
    throw new EdgesmithError('NOT_FOUND', 'Nothing was measured yet', {
      hint: 'edgesmith compare, bench, matrix, evaluate, profile and validate measure.',
    })
  return newest.sweepId === null ? [newest] : newestFirst.filter(({ sweepId }) => sweepId === newest.sweepId)
}

function matching(text: string, all: readonly Run[], newestFirst: readonly Run[]): Run[] {
  const fits = (id: string | null) => id !== null && (id === text || (text.length >= ID_PREFIX && id.startsWith(text.toLowerCase())))
  const runs = all.filter(({ id }) => fits(id))
  if (runs.length > 1) {
    const candidates = runs.slice(0, MAX_LISTED).map(({ kind, id }) => `${id} (${nouns[kind]})`)
    throw new EdgesmithError('USAGE', `"${text}" is the beginning of ${runs.length} ids`, {
      hint: `Give the whole id: ${candidates.join('; ')}.`,
    })
  }
  if (runs.length === 1) return runs
  const made = newestFirst.filter(({ jobId, sweepId }) => fits(jobId) || fits(sweepId))
  if (made.length > 0) return made
  throw new EdgesmithError('NOT_FOUND', `There is no comparison, benchmark, evaluation, analysis, matrix, validation or job "${text}"`, {
    hint: 'edgesmith runs lists what there is.',
  })
}
