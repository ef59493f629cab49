import type { ReportDocument } from '../../../contract/report.ts'
import { type ReportNames, reportNames } from '../sections/report-names.ts'
import { analysisRows } from './csv-analyses.ts'
import { matrixRows } from './csv-matrices.ts'
import { energyMeasures, latencyMeasures, metricMeasures, metricUnit, type RunColumns, rowsOf } from './csv-measures.ts'
import { csvText } from './csv-text.ts'
import { validationRows } from './csv-validations.ts'

const header = ['kind', 'run', 'model', 'device', 'dataset', 'part', 'metric', 'value', 'low', 'high', 'unit']

/**
 * Every number of a report as one long table, a row each: `low` and `high` are the ends of a 95 % interval, numbers are whole as they
 * were measured. Text that a spreadsheet would take for a formula is prefixed with an apostrophe.
 */
export function csvReport(document: ReportDocument): string {
  const names = reportNames(document)
  return csvText([
    header,
    ...comparisonRows(document),
    ...benchmarkRows(document, names),
    ...evaluationRows(document, names),
    ...matrixRows(document),
    ...validationRows(document),
    ...analysisRows(document, names),
  ])
}

function comparisonRows({ comparisons }: ReportDocument): (string | number)[][] {
  return comparisons.flatMap(({ id, device, dataset, rows }) =>
    rows.flatMap((row) =>
      rowsOf({ kind: 'comparison', run: id, model: row.model, device, dataset: dataset ?? '' }, [
        { metric: 'speedup', value: row.speedup?.estimate, interval: row.speedup?.ci95, unit: 'ratio' },
        {
          metric: 'accuracyDifference',
          value: row.accuracyDifference?.difference,
          interval: row.metricDifference?.metric === 'accuracy' ? row.metricDifference.ci95 : null,
          unit: 'share',
        },
        { metric: 'accuracyDifferencePValue', value: row.accuracyDifference?.pValue, unit: 'probability' },
        {
          metric: `${row.metricDifference?.metric ?? 'metric'}Difference`,
          value: row.accuracyDifference ? null : row.metricDifference?.difference,
          interval: row.metricDifference?.ci95,
          unit: metricUnit(row.metricDifference?.metric ?? ''),
        },
        ...latencyMeasures(row.latencyMs),
        { metric: 'samples', value: row.samples, unit: 'count' },
        { metric: 'throughput', value: row.throughputPerSecond, unit: '1/s' },
        { metric: 'load', value: row.loadMs, unit: 'ms' },
        { metric: 'firstInference', value: row.firstInferenceMs, unit: 'ms' },
        { metric: 'cpuPerInference', value: row.cpuMsPerInference, unit: 'ms' },
        { metric: 'peakRss', value: row.peakRssBytes, unit: 'bytes' },
        { metric: 'steadyRss', value: row.steadyRssBytes, unit: 'bytes' },
        { metric: 'fileSize', value: row.sizeBytes, unit: 'bytes' },
        ...metricMeasures(row.metrics ?? {}),
      ]),
    ),
  )
}

function benchmarkRows({ benchmarks }: ReportDocument, names: ReportNames): (string | number)[][] {
  return benchmarks.flatMap((benchmark) => {
    const { id, modelId, deviceId, settings, load } = benchmark
    const run: RunColumns = { kind: 'benchmark', run: id, model: names.model(modelId), device: names.device(deviceId), dataset: '' }
    return rowsOf(run, [
      { metric: 'batch', value: settings.batch, unit: 'count' },
      { metric: 'threads', value: settings.threads, unit: 'count' },
      ...latencyMeasures(benchmark.latencyMs),
      { metric: 'samples', value: benchmark.samples, unit: 'count' },
      { metric: 'throughput', value: benchmark.throughputPerSecond, unit: '1/s' },
      { metric: 'load', value: benchmark.loadMs, unit: 'ms' },
      { metric: 'firstInference', value: benchmark.firstInferenceMs, unit: 'ms' },
      { metric: 'cpuPerInference', value: benchmark.cpuMsPerInference, unit: 'ms' },
      { metric: 'peakRss', value: benchmark.peakRssBytes, unit: 'bytes' },
      { metric: 'idleRss', value: benchmark.idleRssBytes, unit: 'bytes' },
      { metric: 'steadyRss', value: benchmark.steadyRssBytes, unit: 'bytes' },
      { metric: 'memoryGrowth', value: benchmark.memoryGrowthBytes, unit: 'bytes' },
      { metric: 'outlierShare', value: benchmark.outlierShare, unit: 'share' },
      ...energyMeasures(benchmark.energy),
      { metric: 'offeredRate', value: load?.offeredPerSecond, unit: '1/s' },
      { metric: 'answeredRate', value: load?.answeredPerSecond, unit: '1/s' },
      { metric: 'serviceP50', value: load?.serviceMs.p50, interval: load?.serviceMs.ci.p50, unit: 'ms' },
      { metric: 'serviceP99', value: load?.serviceMs.p99, interval: load?.serviceMs.ci.p99, unit: 'ms' },
      { metric: 'longestQueue', value: load?.longestQueue, unit: 'count' },
      { metric: 'errors', value: load?.errors, unit: 'count' },
    ])
  })
}

function evaluationRows({ evaluations }: ReportDocument, names: ReportNames): (string | number)[][] {
  return evaluations.flatMap(({ id, modelId, deviceId, datasetId, datasetName, samples, metrics, classification, parity }) => {
    const run: RunColumns = {
      kind: 'evaluation',
      run: id,
      model: names.model(modelId),
      device: names.device(deviceId),
      dataset: datasetName,
    }
    return [
      ...rowsOf(run, [{ metric: 'samples', value: samples, unit: 'count' }, ...metricMeasures(metrics)]),
      ...(classification?.perClass ?? []).flatMap((entry) =>
        rowsOf({ ...run, part: names.className(datasetId, entry.class) }, [
          { metric: 'support', value: entry.support, unit: 'count' },
          { metric: 'precision', value: entry.precision, unit: 'share' },
          { metric: 'recall', value: entry.recall, unit: 'share' },
          { metric: 'f1', value: entry.f1, unit: 'share' },
        ]),
      ),
      ...(parity?.outputs ?? []).flatMap(({ name, sqnrDb, cosine, worstCosine, maxAbsDiff, meanAbsDiff, agreement }) =>
        rowsOf({ ...run, part: name }, [
          { metric: 'sqnr', value: sqnrDb, unit: 'dB' },
          { metric: 'cosine', value: cosine, unit: '' },
          { metric: 'worstCosine', value: worstCosine, unit: '' },
          { metric: 'maxAbsDiff', value: maxAbsDiff, unit: '' },
          { metric: 'meanAbsDiff', value: meanAbsDiff, unit: '' },
          { metric: 'agreement', value: agreement, unit: 'share' },
        ]),
      ),
    ]
  })
}
