import type { LayerComparison } from '../../../contract/analysis.ts'
import { type Block, cutTable, facts, figure, list } from '../blocks/report-block.ts'
import { lineChart } from '../charts/line-chart.ts'
import { formatCount, formatCounted, formatDecibels, formatMs, formatSignificant, NOTHING } from '../quantities.ts'

/** Layers listed: those that differ most in time. */
const MAX_LAYERS = 40
/** Layers drawn. */
const MAX_DRAWN = 1000
/** Beyond this tensors differ by rounding alone: drawn at its height, inputs would flatten all below. */
const HIGHEST_DB = 80

/** Two builds layer by layer: time, precision, and how far their tensors are apart. */
export function layerBlocks({ baselineMs, buildMs, layers, samples, inputs, warnings }: LayerComparison): Block[] {
  const largest = [...layers].sort((a, b) => Math.abs(b.lostMs) - Math.abs(a.lostMs))
  return [
    facts([
      ['one inference', `${formatMs(buildMs)} against ${formatMs(baselineMs)}`],
      ['tensors compared on', `${formatCounted(samples, 'sample')} of ${inputs}`],
    ]),
    ...(warnings.length > 0 ? [list(warnings, { tone: 'warning' })] : []),
    ...noiseChart(layers),
    ...cutTable(
      ['layer', 'operator', '>baseline', '>build', '>lost', 'computes in', '>signal to noise', '>largest difference'],
      largest.map(({ layer, op, baseline, build, lostMs, sqnrDb, maxAbsDiff }) => [
        layer,
        op,
        formatMs(baseline?.ms),
        formatMs(build?.ms),
        formatMs(lostMs),
        `${baseline?.precision ?? 'none'} → ${build?.precision ?? 'none'}`,
        sqnrDb === null ? NOTHING : formatDecibels(sqnrDb),
        formatSignificant(maxAbsDiff),
      ]),
      MAX_LAYERS,
    ),
  ]
}

/** Signal to noise from the first layer to the last: where the line falls, the build loses. */
export function noiseChart(
  layers: readonly { readonly layer: string; readonly sqnrDb: number | null }[],
  caption = 'Signal to noise of the build’s tensors against the baseline’s, layer by layer; more than 80 dB is drawn as 80.',
): Block[] {
  const known = layers.filter(({ sqnrDb }) => sqnrDb !== null).slice(0, MAX_DRAWN)
  if (known.length < 2) return []
  const drawing = lineChart(
    [{ name: 'signal to noise', series: 1, points: known.map(({ sqnrDb }, x) => ({ x, y: Math.min(HIGHEST_DB, sqnrDb as number) })) }],
    {
      label: 'Signal to noise after each layer',
      xTitle: `${formatCount(known.length)} layers in graph order`,
      yTitle: 'signal to noise, dB',
      xNames: known.map(({ layer }) => layer),
      marks: known.length <= 60,
    },
  )
  return [figure(drawing, null, { caption })]
}
