import { headlineText } from '../../backend/report/metric-text.ts'
import { formatCount, formatInterval, formatMs, formatRatio, NOTHING } from '../../backend/report/quantities.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Benchmark, Comparison, RunComparison } from '../../contract/measurement.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { shortId } from '../references.ts'
import { shortMoment } from '../short-moment.ts'
import { textTable } from '../text-table.ts'

export const runsCommand = defineCommand({
  name: 'runs',
  summary: 'List what was measured: comparisons, benchmarks, matrices, evaluations, profiles, explanations, validations',
  positionals: {},
  options: {},
  examples: ['runs'],
  run: (context) => listRuns(context),
})

export const runsCompareCommand = defineCommand({
  name: 'runs compare',
  summary: 'Put stored benchmarks beside each other, whenever they were made',
  positionals: {
    run: { description: 'ids of benchmarks or their beginnings (edgesmith runs lists them); the first is the baseline', many: true },
  },
  options: {},
  notes: ['What changed on a machine between two runs is part of their ratio. edgesmith compare measures in turns, and is what to trust.'],
  examples: ['runs compare 3f2a91c0 77b1d0aa'],
  run: (context, _options, { run: ids }) => compareRuns(context, ids),
})

async function listRuns(context: CommandContext) {
  const backend = await context.backend()
  const [models, devices, comparisons, benchmarks, evaluations, analyses, matrices, validations] = await Promise.all([
    backend.call('models.list', {}),
    backend.call('devices.list', {}),
    backend.call('comparisons.list', {}),
    backend.call('benchmarks.list', {}),
    backend.call('evaluations.list', {}),
    backend.call('analyses.list', {}),
    backend.call('matrices.list', {}),
    backend.call('validations.list', {}),
  ])
  const nameOf = (listed: readonly { readonly id: string; readonly name: string }[], id: string) =>
    listed.find((entry) => entry.id === id)?.name ?? NOTHING
  const single = <T extends { readonly comparisonId: string | null }>(runs: readonly T[]) =>
    runs.filter(({ comparisonId }) => comparisonId === null)
  const rows = [
    ...comparisons.map(({ id, createdAt, baseline, rows: compared, device }) => ({
      createdAt,
      cells: [
        shortId(id),
        shortMoment(createdAt),
        'comparison',
        `${baseline} and ${compared.length - 1} more`,
        device,
        verdictsText(compared),
      ],
    })),
    ...single(benchmarks).map((run) => ({
      createdAt: run.createdAt,
      cells: [
        shortId(run.id),
        shortMoment(run.createdAt),
        `benchmark, ${run.settings.scenario}${run.settings.runtime === 'tensorrt' ? ', TensorRT' : ''}`,
        nameOf(models, run.modelId),
        nameOf(devices, run.deviceId),
        `p50 ${formatMs(run.latencyMs.p50)}`,
      ],
    })),
    ...single(evaluations).map(({ id, createdAt, modelId, deviceId, metrics, task }) => ({
      createdAt,
      cells: [
        shortId(id),
        shortMoment(createdAt),
        `evaluation, ${task}`,
        nameOf(models, modelId),
        nameOf(devices, deviceId),
        headlineText(metrics),
      ],
    })),
    ...analyses.map(({ id, createdAt, kind, modelId, deviceId, profile }) => ({
      createdAt,
      cells: [
        shortId(id),
        shortMoment(createdAt),
        kind,
        nameOf(models, modelId),
        nameOf(devices, deviceId),
        profile ? `one inference ${formatMs(profile.plainMs)}` : NOTHING,
      ],
    })),
    ...matrices.map((matrix) => ({
      createdAt: matrix.createdAt,
      cells: [
        shortId(matrix.id),
        shortMoment(matrix.createdAt),
        'matrix',
        matrix.models.length === 1 ? (matrix.models[0]?.name ?? NOTHING) : `${matrix.models.length} builds`,
        matrix.devices.length === 1 ? (matrix.devices[0]?.name ?? NOTHING) : `${matrix.devices.length} devices`,
        `${matrix.cells.filter(({ benchmarkId }) => benchmarkId !== null).length} of ${matrix.cells.length} measured`,
      ],
    })),
    ...validations.map(({ id, createdAt, service, model, device, checks, passed }) => ({
      createdAt,
      cells: [
        shortId(id),
        shortMoment(createdAt),
        `validation of ${service}`,
        model,
        device,
        passed ? 'passed' : `failed: ${checks.flatMap((check) => (check.passed === false ? [check.name] : [])).join(', ')}`,
      ],
    })),
  ].sort((a, b) => b.createdAt.localeCompare(a.createdAt))
  return {
    document: { comparisons, benchmarks, evaluations, analyses, matrices, validations },
    text:
      rows.length === 0
        ? 'Nothing was measured yet: edgesmith compare, bench, matrix, evaluate, profile and validate do.'
        : textTable(
            ['id', 'when', 'what', 'model', 'device', 'result'].map((title) => ({ title })),
            rows.map(({ cells }) => cells),
          ),
  }
}

/** `1.32× faster`; of several builds how many got which verdict. */
function verdictsText(rows: Comparison['rows']): string {
  const found = rows.flatMap(({ speedup }) => (speedup ? [speedup] : []))
  const [only] = found
  if (!only) return NOTHING
  if (found.length === 1) return `${formatRatio(only.estimate)}, ${only.verdict}`
  const verdicts = [...new Set(found.map(({ verdict }) => verdict))]
  return verdicts.map((verdict) => `${found.filter((one) => one.verdict === verdict).length} ${verdict}`).join(', ')
}

async function compareRuns(context: CommandContext, texts: readonly string[]) {
  if (texts.length < 2) {
    throw new EdgesmithError('USAGE', 'Give at least two benchmarks to compare', {
      hint: 'edgesmith runs lists them; report ID writes a report of one.',
    })
  }
  const backend = await context.backend()
  const benchmarks = await backend.call('benchmarks.list', {})
  const found = await backend.call('runs.compare', { ids: texts.map((text) => findBenchmark(benchmarks, text)) })
  return { document: found, text: describe(found) }
}

/** @throws EdgesmithError `NOT_FOUND`, `USAGE` when several begin like that */
function findBenchmark(benchmarks: readonly Benchmark[], text: string): string {
  const matches = benchmarks.filter(({ id }) => id === text || (text.length >= 4 && id.startsWith(text.toLowerCase())))
  const [only] = matches
  if (only && matches.length === 1) return only.id
  if (matches.length > 1)
    throw new EdgesmithError('USAGE', `"${text}" is the beginning of ${matches.length} benchmarks`, { hint: 'Give more of the id.' })
  throw new EdgesmithError('NOT_FOUND', `There is no benchmark "${text}"`, { hint: 'edgesmith runs lists what there is.' })
}

function describe({ runs, ratios, caveats }: RunComparison): string {
  return [
    textTable(
      [
        { title: 'id' },
        { title: 'model' },
        { title: 'device' },
        { title: 'scenario' },
        { title: 'p50', align: 'right' },
        { title: 'p95', align: 'right' },
        { title: 'samples', align: 'right' },
        { title: 'speed', align: 'right' },
        { title: '95 % interval', align: 'right' },
        { title: 'verdict' },
      ],
      runs.map(({ benchmark, model, device }, index) => {
        const ratio = index === 0 ? undefined : ratios[index - 1]
        return [
          shortId(benchmark.id),
          model,
          device,
          benchmark.settings.scenario,
          formatMs(benchmark.latencyMs.p50),
          formatMs(benchmark.latencyMs.p95),
          formatCount(benchmark.samples),
          ratio ? formatRatio(ratio.estimate) : NOTHING,
          formatInterval(ratio?.ci95, formatRatio),
          index === 0 ? 'baseline' : (ratio?.verdict ?? 'not comparable'),
        ]
      }),
    ),
    ...caveats.map((caveat) => `note: ${caveat}`),
  ].join('\n')
}
