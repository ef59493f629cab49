import type { Matrix, MatrixCell } from '../../../contract/matrix.ts'
import { speedAgainstFirst } from '../../../core/comparison/speed-against-first.ts'
import { type Block, facts, figure, heading, type Inline, list, type TableRow, table, text } from '../blocks/report-block.ts'
import { barChart } from '../charts/bar-chart.ts'
import { energyText } from '../energy-text.ts'
import { metricValueText } from '../metric-text.ts'
import { formatBytes, formatInterval, formatMs, formatRatio, formatSignificant, NOTHING } from '../quantities.ts'
import { lengthText, noiseChip, scenarioText } from './setting-facts.ts'

/** Bars drawn; more are read in the table. */
const MAX_BARS = 48

/** Builds by devices: latency with intervals, and each build against the first on the same device. */
export function matrixBlocks(matrix: Matrix): Block[] {
  const { models, devices, cells, settings, dataset, createdAt } = matrix
  const failed = cells.filter(({ error }) => error !== null)
  return [
    heading(2, `${matrixTitle(matrix)}`),
    text(`${createdAt}. Devices were measured at the same time, the builds of a device one after the other.`, 'soft'),
    facts([
      [
        'measured',
        `${scenarioText(settings)}, ${lengthText(settings)} a cell, ${settings.threads === 1 ? 'one thread' : `${settings.threads} threads`}`,
      ],
      ...(dataset ? [['answers evaluated on', dataset.name] as const] : []),
    ]),
    crossTable(matrix),
    ...bars(matrix),
    heading(3, 'Every cell'),
    table(
      [
        'build',
        '>p50',
        '>95 % interval',
        `>speed against ${models[0]?.name ?? 'the first'}`,
        '>p95',
        '>per second',
        '>peak memory',
        'energy',
        '>answers',
        'machine',
      ],
      devices.flatMap(({ id, name, board }): TableRow[] => [
        { group: board === null ? name : `${name}, ${board}` },
        ...models.flatMap((model): TableRow[] => {
          const cell = cells.find(({ modelId, deviceId }) => modelId === model.id && deviceId === id)
          return cell ? [cellRow(model.name, cell, matrix)] : []
        }),
      ]),
    ),
    ...(failed.length > 0
      ? [
          list(
            failed.map((cell) => failureText(cell, matrix)),
            { tone: 'warning' },
          ),
        ]
      : []),
  ]
}

/** What a matrix is about, in a line. */
export function matrixTitle({ models, devices }: Pick<Matrix, 'models' | 'devices'>): string {
  const named = (entries: readonly { readonly name: string }[], what: string) =>
    entries.length === 1 ? (entries[0]?.name ?? '') : `${entries.length} ${what}`
  return `${named(models, 'builds')} on ${named(devices, 'devices')}`
}

/** The answer in a sentence: the fastest build on each device. */
export function matrixSentence({ models, devices, cells }: Matrix): string {
  const best = devices.flatMap(({ id, name }) => {
    const measured = cells.filter(({ deviceId, p50Ms }) => deviceId === id && p50Ms !== null)
    const [first, ...others] = measured
    if (!first) return [`${name}: nothing was measured`]
    const fastest = others.reduce((a, b) => ((b.p50Ms as number) < (a.p50Ms as number) ? b : a), first)
    return [
      `${name}: ${models.find((model) => model.id === fastest.modelId)?.name ?? 'a removed model'}, median ${formatMs(fastest.p50Ms)}`,
    ]
  })
  return `Lowest median latency on each device. ${best.join('; ')}.`
}

/** `pi5, int8: CONNECTION_LOST: the connection broke` */
export function failureText({ modelId, deviceId, benchmarkId, error }: MatrixCell, { models, devices }: Matrix): string {
  const [model, device] = [models.find(({ id }) => id === modelId)?.name, devices.find(({ id }) => id === deviceId)?.name]
  const what = benchmarkId === null ? '' : ' (its latency was measured)'
  return `${device ?? 'a removed device'}, ${model ?? 'a removed model'}${what}: ${error?.code ?? ''}: ${error?.message ?? ''}`
}

/** A build's speed against the first one on the same device: `2.15× (2.05× – 2.24×)`. */
export function speedText(cell: MatrixCell, { models, cells }: Matrix): string {
  const speed = speedAgainstFirst(cell, cells, models[0]?.id ?? '')
  return speed ? `${formatRatio(speed.ratio)}${speed.interval ? ` (${formatInterval(speed.interval, formatRatio)})` : ''}` : NOTHING
}

function crossTable({ models, devices, cells }: Matrix): Block {
  return {
    kind: 'table',
    look: 'results',
    columns: [{ title: 'device' }, ...models.map(({ name }) => ({ title: name, align: 'right' as const }))],
    rows: devices.map(({ id, name }) => [
      name,
      ...models.map((model): Inline => {
        const cell = cells.find(({ modelId, deviceId }) => modelId === model.id && deviceId === id)
        if (!cell || cell.p50Ms === null) return cell?.error?.code ?? NOTHING
        const speed = speedAgainstFirst(cell, cells, models[0]?.id ?? '')
        return [formatMs(cell.p50Ms), ...(speed ? [{ kind: 'line-break' } as const, formatRatio(speed.ratio)] : [])]
      }),
    ]),
  }
}

function bars({ models, devices, cells }: Matrix): Block[] {
  const measured = devices.flatMap((device) =>
    models.flatMap((model) => {
      const cell = cells.find(({ modelId, deviceId }) => modelId === model.id && deviceId === device.id)
      if (!cell || cell.p50Ms === null) return []
      return [{ name: `${device.name}, ${model.name}`, value: cell.p50Ms, words: formatInterval(cell.p50Ci, formatMs) }]
    }),
  )
  if (measured.length < 2 || measured.length > MAX_BARS) return []
  return [
    figure(barChart(measured, 'Median latency of every build on every device'), null, {
      caption: 'Median latency with its 95 % interval.',
    }),
  ]
}

function cellRow(name: string, cell: MatrixCell, matrix: Matrix): Inline[] {
  return [
    name,
    cell.p50Ms === null ? (cell.error?.code ?? NOTHING) : formatMs(cell.p50Ms),
    formatInterval(cell.p50Ci, formatMs),
    speedText(cell, matrix),
    formatMs(cell.p95Ms),
    formatSignificant(cell.throughputPerSecond),
    formatBytes(cell.peakRssBytes),
    energyText(cell.energy),
    metricValueText(cell.metric),
    cell.noise ? noiseChip(cell.noise) : NOTHING,
  ]
}
