import { energyText } from '../backend/report/energy-text.ts'
import {
  formatBytes,
  formatCount,
  formatInterval,
  formatMs,
  formatPercent,
  formatSignificant,
  NOTHING,
} from '../backend/report/quantities.ts'
import { type Benchmark, worstNoise } from '../contract/measurement.ts'
import { type Column, factList, textTable } from './text-table.ts'

const right = (titles: readonly string[]): Column[] => titles.map((title) => ({ title, align: 'right' }))

/** Benchmarks of one model on one device for people: table, load, conditions, facts, warnings. */
export function benchText(model: string, device: string, runs: readonly Benchmark[]): string {
  const [first] = runs
  return [
    `${model} on ${device}${first ? `, scenario ${first.settings.scenario}${first.settings.runtime === 'tensorrt' ? ', TensorRT' : ''}` : ''}`,
    '',
    latencyTable(runs),
    ...loadTable(runs),
    '',
    ...(first && runs.length > 1
      ? [`Memory, load and CPU time are those of batch ${first.settings.batch}, threads ${first.settings.threads}:`]
      : []),
    ...(first ? [facts(first, runs)] : []),
    ...tensorRtFacts(runs),
    ...conditions(runs),
  ].join('\n')
}

function latencyTable(runs: readonly Benchmark[]): string {
  return textTable(
    right(['batch', 'threads', 'p50', '95 % interval', 'p90', 'p95', 'p99', 'p99.9', 'mean', 'per second', 'samples']),
    runs.map(({ settings, latencyMs, throughputPerSecond, samples }) => [
      String(settings.batch),
      String(settings.threads),
      formatMs(latencyMs.p50),
      formatInterval(latencyMs.ci.p50, formatMs),
      formatMs(latencyMs.p90),
      formatMs(latencyMs.p95),
      formatMs(latencyMs.p99),
      formatMs(latencyMs.p999),
      formatMs(latencyMs.mean),
      formatSignificant(throughputPerSecond),
      formatCount(samples),
    ]),
  )
}

/** What requests met, where there were requests. */
function loadTable(runs: readonly Benchmark[]): string[] {
  const loaded = runs.flatMap(({ settings, load }) => (load ? [{ settings, load }] : []))
  if (loaded.length === 0) return []
  const table = textTable(
    right(['batch', 'threads', 'offered/s', 'answered/s', 'service p50', 'service p99', 'longest queue', 'errors', 'overloaded']),
    loaded.map(({ settings, load }) => [
      String(settings.batch),
      String(settings.threads),
      load.offeredPerSecond === null ? NOTHING : formatSignificant(load.offeredPerSecond),
      formatSignificant(load.answeredPerSecond),
      formatMs(load.serviceMs.p50),
      formatMs(load.serviceMs.p99),
      formatCount(load.longestQueue),
      formatCount(load.errors),
      load.overloaded ? 'YES' : 'no',
    ]),
  )
  const due = loaded.every(({ load }) => load.offeredPerSecond === null) ? 'sent' : 'due'
  return ['', `Load (latency above counts from the moment a request was ${due}; service is the time without waiting):`, table]
}

function facts(first: Benchmark, runs: readonly Benchmark[]): string {
  const { environment } = first
  const worst = worstNoise(runs)
  const steady = runs.some((run) => run.steady === false) ? 'no' : first.steady === null ? 'warm-up too short to tell' : 'yes'
  return factList([
    ['machine', worst],
    ['steady', steady],
    ['outliers', first.outlierShare === null ? null : `${formatPercent(first.outlierShare)} of samples (none dropped)`],
    ['load', formatMs(first.loadMs)],
    ['first inference', formatMs(first.firstInferenceMs)],
    ['CPU time', `${formatMs(first.cpuMsPerInference)} an inference`],
    ['peak memory', formatBytes(first.peakRssBytes)],
    ['memory growth', first.memoryGrowthBytes === null ? null : formatBytes(first.memoryGrowthBytes)],
    ['energy', energyLine(runs)],
    ['processor', `${environment.cpu}, ${environment.logicalCores} logical cores`],
    ['software', `ONNX Runtime ${environment.onnxRuntimeVersion}, Node.js ${environment.nodeVersion}, ${environment.system}`],
  ])
}

/** Energy of one inference where it was measured; where no run has a sensor, that it cannot be. */
function energyLine(runs: readonly Benchmark[]): string | null {
  const measured = runs.filter(({ energy }) => energy?.measurable)
  if (measured.length === 0) return runs.some(({ energy }) => energy) ? 'not measurable (no power sensor was found)' : null
  return measured
    .map(
      ({ settings, energy }) => `${runs.length > 1 ? `batch ${settings.batch}, threads ${settings.threads}: ` : ''}${energyText(energy)}`,
    )
    .join('; ')
}

/** How TensorRT ran the model, and the parts of its latency for each run. */
function tensorRtFacts(runs: readonly Benchmark[]): string[] {
  const withEngines = runs.flatMap(({ settings, tensorRt }) => (tensorRt ? [{ settings, tensorRt }] : []))
  const [first] = withEngines
  if (!first) return []
  const { version, gpu, jetPack, options } = first.tensorRt
  const built = (seconds: number | null) => (seconds === null ? 'was there' : `built in ${formatSignificant(seconds)} s`)
  return [
    '',
    factList([
      ['TensorRT', [version, gpu, jetPack === null ? null : `JetPack ${jetPack}`].filter((part) => part !== null).join(', ')],
      ['options', options.join(' ')],
      ...withEngines.map(({ settings, tensorRt }): [string, string] => [
        withEngines.length > 1 ? `engine, batch ${settings.batch}` : 'engine',
        [
          formatBytes(tensorRt.engineBytes),
          built(tensorRt.buildSeconds),
          `GPU ${formatMs(tensorRt.computeMs)}, copies ${formatMs(tensorRt.copyInMs)} and ${formatMs(tensorRt.copyOutMs)}`,
        ].join(', '),
      ]),
    ]),
  ]
}

/** What was not as it should be, each said once. */
function conditions(runs: readonly Benchmark[]): string[] {
  const failed = runs.flatMap(({ preflight }) => preflight.filter(({ ok }) => !ok))
  const problems = new Map(failed.map(({ name, found, wanted }) => [name, `preflight: ${name}: ${found} (wanted: ${wanted})`]))
  const warnings = new Set(runs.flatMap((run) => [...run.warnings, ...run.noise.reasons]))
  return [...problems.values(), ...[...warnings].map((warning) => `warning: ${warning}`)]
}
