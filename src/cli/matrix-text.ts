import { energyText } from '../backend/report/energy-text.ts'
import { metricValueText } from '../backend/report/metric-text.ts'
import { formatInterval, formatMs, formatSignificant, NOTHING } from '../backend/report/quantities.ts'
import { failureText, speedText } from '../backend/report/sections/matrix-section.ts'
import type { Matrix } from '../contract/matrix.ts'
import { textTable } from './text-table.ts'

/** What `matrix` prints: a line for each build on each device, with its speed against the first build there. */
export function matrixText(matrix: Matrix): string {
  const { models, devices, cells } = matrix
  const first = models[0]
  const failed = cells.filter(({ error }) => error !== null)
  const withEnergy = cells.some(({ energy }) => energy?.measurable)
  const withMetric = cells.some(({ metric }) => metric !== null)
  return [
    textTable(
      [
        { title: 'device' },
        { title: 'model' },
        { title: 'p50', align: 'right' },
        { title: '95 % interval', align: 'right' },
        { title: `speed against ${first?.name ?? 'the first'}`, align: 'right' },
        { title: 'per second', align: 'right' },
        ...(withMetric ? [{ title: 'answers', align: 'right' as const }] : []),
        ...(withEnergy ? [{ title: 'energy' }] : []),
        { title: 'machine' },
      ],
      devices.flatMap((device) =>
        models.flatMap((model) => {
          const cell = cells.find(({ modelId, deviceId }) => modelId === model.id && deviceId === device.id)
          if (!cell) return []
          return [
            [
              device.name,
              model.name,
              cell.p50Ms === null ? (cell.error?.code ?? NOTHING) : formatMs(cell.p50Ms),
              formatInterval(cell.p50Ci, formatMs),
              speedText(cell, matrix),
              formatSignificant(cell.throughputPerSecond),
              ...(withMetric ? [metricValueText(cell.metric)] : []),
              ...(withEnergy ? [energyText(cell.energy)] : []),
              cell.noise?.label ?? NOTHING,
            ],
          ]
        }),
      ),
    ),
    ...failed.map((cell) => `failed: ${failureText(cell, matrix)}`),
  ].join('\n')
}
