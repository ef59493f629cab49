import type { ProfileResult } from '../../../contract/analysis.ts'
import { type Block, cutTable, facts, figure, list, table } from '../blocks/report-block.ts'
import { barChart } from '../charts/bar-chart.ts'
import { attainable, rooflineChart, rooflinePoints } from '../charts/roofline-chart.ts'
import { formatBytes, formatCount, formatCounted, formatMs, formatPercent, formatSignificant } from '../quantities.ts'

/** Operators drawn, layers listed. */
const MAX_BARS = 15
const MAX_LAYERS = 20
/** Layers placed in the roofline: the slowest ones; those left out hardly take time. */
const MAX_POINTS = 300

/** Where the time of one model goes: by operator, by layer, and against what the machine can do at most. */
export function profileBlocks(profile: ProfileResult): Block[] {
  const { byOp, byLayer, peak, plainMs, profiledMs, runs, batch, threads, warnings } = profile
  const total = Math.max(
    1e-9,
    byOp.reduce((sum, { ms }) => sum + ms, 0),
  )
  const ops = [...byOp].sort((a, b) => b.ms - a.ms)
  const layers = [...byLayer].sort((a, b) => b.ms - a.ms)
  const points = rooflinePoints(byLayer)
  const roofline = peak ? rooflineChart(points.slice(0, MAX_POINTS), peak) : null
  return [
    facts([
      ['one inference', `${formatMs(plainMs)}; ${formatMs(profiledMs)} with the profiler (median of ${formatCounted(runs, 'run')})`],
      ['settings', `batch ${formatCount(batch)}, ${formatCounted(threads, 'thread')} inside an operator`],
      ...(peak
        ? [
            [
              'what the machine can do at most',
              `${formatSignificant(peak.gmacsFloat32)} GMAC/s in float32${peak.gmacsInt8 === null ? '' : `, ${formatSignificant(peak.gmacsInt8)} GMAC/s in int8`}, ${formatSignificant(peak.gbPerSecond)} GB/s, measured right after`,
            ] as const,
          ]
        : []),
    ]),
    ...(warnings.length > 0 ? [list(warnings, { tone: 'warning' })] : []),
    figure(
      barChart(
        ops.slice(0, MAX_BARS).map(({ kernel, count, ms }) => ({
          name: `${kernel} ×${count}`,
          value: ms,
          words: `${formatMs(ms)}, ${formatPercent(ms / total)}`,
        })),
        'Time by operator',
      ),
      table(
        ['kernel', '>count', '>time', '>share'],
        ops.slice(0, MAX_BARS).map(({ kernel, count, ms }) => [kernel, formatCount(count), formatMs(ms), formatPercent(ms / total)]),
      ),
      { caption: 'Time by kernel, and its share of all.' },
    ),
    ...(roofline
      ? [
          figure(roofline, null, {
            caption:
              'Each layer below the bounds of the machine: under the slope memory is the limit, under the flat line computing is. Area is time.',
          }),
        ]
      : []),
    ...cutTable(
      ['layer', 'operator', 'computes in', '>time', '>share', '>MACs', '>moves', ...(roofline ? ['>GMAC/s', '>of its bound'] : [])],
      layers.map((layer) => {
        const point = points.find((entry) => entry.layer === layer)
        const bound = point && peak ? attainable(peak, point.macsPerByte, layer.precision) : undefined
        return [
          layer.layer,
          layer.op,
          layer.precision,
          formatMs(layer.ms),
          formatPercent(layer.ms / total),
          formatCount(layer.macs),
          formatBytes(layer.bytes),
          ...(roofline
            ? [formatSignificant(point?.gmacsPerSecond), formatPercent(bound && point ? point.gmacsPerSecond / bound : null)]
            : []),
        ]
      }),
      MAX_LAYERS,
    ),
  ]
}
