import type { ReportDocument } from '../../../contract/report.ts'
import { speedAgainstFirst } from '../../../core/comparison/speed-against-first.ts'
import { energyMeasures, metricUnit, rowsOf } from './csv-measures.ts'

/** Every number of matrices, cell by cell. */
export function matrixRows({ matrices }: ReportDocument): (string | number)[][] {
  return matrices.flatMap(({ id, models, devices, cells, dataset }) =>
    cells.flatMap((cell) => {
      const model = models.find((one) => one.id === cell.modelId)?.name ?? ''
      const device = devices.find((one) => one.id === cell.deviceId)?.name ?? ''
      const speed = speedAgainstFirst(cell, cells, models[0]?.id ?? '')
      return rowsOf({ kind: 'matrix', run: id, model, device, dataset: dataset?.name ?? '' }, [
        { metric: 'latency.p50', value: cell.p50Ms, interval: cell.p50Ci, unit: 'ms' },
        { metric: 'latency.p95', value: cell.p95Ms, unit: 'ms' },
        { metric: 'speedAgainstFirst', value: speed?.ratio, interval: speed?.interval, unit: 'ratio' },
        { metric: 'throughput', value: cell.throughputPerSecond, unit: '1/s' },
        { metric: 'peakRss', value: cell.peakRssBytes, unit: 'bytes' },
        ...energyMeasures(cell.energy),
        { metric: cell.metric?.name ?? 'metric', value: cell.metric?.value, unit: metricUnit(cell.metric?.name ?? '') },
      ])
    }),
  )
}
