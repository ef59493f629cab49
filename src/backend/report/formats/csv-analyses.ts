import type { Analysis } from '../../../contract/analysis.ts'
import type { ReportDocument } from '../../../contract/report.ts'
import type { ReportNames } from '../sections/report-names.ts'
import { type RunColumns, rowsOf } from './csv-measures.ts'

/** Times, sizes and distances of analyses, a row for each layer and number. */
export function analysisRows({ analyses }: ReportDocument, names: ReportNames): (string | number)[][] {
  return analyses.flatMap((analysis) => {
    const { id, kind, modelId, deviceId } = analysis
    return rowsOfAnalysis(analysis, { kind, run: id, model: names.model(modelId), device: names.device(deviceId), dataset: '' })
  })
}

function rowsOfAnalysis(analysis: Analysis, run: RunColumns): (string | number)[][] {
  switch (analysis.kind) {
    case 'profile':
      return [
        ...rowsOf(run, [
          { metric: 'plain', value: analysis.result.plainMs, unit: 'ms' },
          { metric: 'profiled', value: analysis.result.profiledMs, unit: 'ms' },
        ]),
        ...analysis.result.byLayer.flatMap(({ layer, ms, macs, bytes }) =>
          rowsOf({ ...run, part: layer }, [
            { metric: 'time', value: ms, unit: 'ms' },
            { metric: 'macs', value: macs, unit: 'count' },
            { metric: 'bytes', value: bytes, unit: 'bytes' },
          ]),
        ),
      ]
    case 'layers':
      return analysis.result.layers.flatMap(({ layer, baseline, build, lostMs, sqnrDb, maxAbsDiff }) =>
        rowsOf({ ...run, part: layer }, [
          { metric: 'baselineTime', value: baseline?.ms, unit: 'ms' },
          { metric: 'buildTime', value: build?.ms, unit: 'ms' },
          { metric: 'lost', value: lostMs, unit: 'ms' },
          { metric: 'sqnr', value: sqnrDb, unit: 'dB' },
          { metric: 'maxAbsDiff', value: maxAbsDiff, unit: '' },
        ]),
      )
    case 'slowdown':
      return [
        ...rowsOf(run, [
          { metric: 'baselineTime', value: analysis.result.baselineMs, unit: 'ms' },
          { metric: 'buildTime', value: analysis.result.buildMs, unit: 'ms' },
        ]),
        ...analysis.result.nodes.flatMap(({ node, lostMs }) =>
          rowsOf({ ...run, part: node }, [{ metric: 'lost', value: lostMs, unit: 'ms' }]),
        ),
      ]
    case 'accuracy':
      return [
        ...rowsOf(run, [
          {
            metric: 'accuracyDifference',
            value: analysis.result.accuracyDifference,
            interval: analysis.result.accuracyDifferenceCi95,
            unit: 'share',
          },
        ]),
        ...analysis.result.layers.flatMap(({ layer, sqnrDb, lostDb }) =>
          rowsOf({ ...run, part: layer }, [
            { metric: 'sqnr', value: sqnrDb, unit: 'dB' },
            { metric: 'lost', value: lostDb, unit: 'dB' },
          ]),
        ),
      ]
    case 'parity':
      return [
        ...rowsOf(run, [
          { metric: 'samples', value: analysis.result.samples, unit: 'count' },
          { metric: 'agreement', value: analysis.result.top1Agreement, unit: 'share' },
        ]),
        ...analysis.result.outputs.flatMap(({ name, sqnrDb, cosine, maxAbsDiff, meanAbsDiff }) =>
          rowsOf({ ...run, part: name }, [
            { metric: 'sqnr', value: sqnrDb, unit: 'dB' },
            { metric: 'cosine', value: cosine, unit: '' },
            { metric: 'maxAbsDiff', value: maxAbsDiff, unit: '' },
            { metric: 'meanAbsDiff', value: meanAbsDiff, unit: '' },
          ]),
        ),
        ...analysis.result.layers.flatMap(({ layer, sqnrDb, maxAbsDiff, lostDb }) =>
          rowsOf({ ...run, part: layer }, [
            { metric: 'sqnr', value: sqnrDb, unit: 'dB' },
            { metric: 'maxAbsDiff', value: maxAbsDiff, unit: '' },
            { metric: 'lost', value: lostDb, unit: 'dB' },
          ]),
        ),
      ]
  }
}
