import type { ChannelPruning, MixedPrecision, OptimizeSummary } from '../../../contract/recipe.ts'
import { type Block, cutTable, folded, text } from '../blocks/report-block.ts'
import { formatCount, formatCounted, formatDecibels, formatMs, formatPercent, formatPoints } from '../quantities.ts'

/** Rows listed. */
const MAX_ROWS = 40

/** Nodes left in float for the accuracy budget, channels that were removed, and nodes left as before. */
export function buildTables({ mixedPrecision, channelPruning, skipped }: OptimizeSummary): Block[] {
  return [
    ...(mixedPrecision ? leftInFloat(mixedPrecision) : []),
    ...(channelPruning ? [removedChannels(channelPruning)] : []),
    ...(skipped.length > 0
      ? [
          folded(
            `${formatCounted(skipped.length, 'node')} left as before`,
            cutTable(
              ['node', 'operator', 'reason'],
              skipped.map(({ node, op, reason }) => [node, op, reason]),
              MAX_ROWS,
            ),
          ),
        ]
      : []),
  ]
}

function leftInFloat({ left, met, reached, baseline, maxDrop }: MixedPrecision): Block[] {
  const outcome = `Accuracy budget ${met ? 'kept' : 'not kept'}: ${formatPercent(reached)} against ${formatPercent(baseline)}, at most ${formatPoints(maxDrop).replace('+', '')} allowed`
  if (left.length === 0) return [text(`${outcome}. Nothing had to be left in float.`)]
  return [
    text(`${outcome}.`),
    folded(
      `${formatCounted(left.length, 'node')} left in float`,
      cutTable(
        ['node', 'operator', '>signal to noise alone', '>would gain', 'reason'],
        left.map(({ node, op, sqnrDb, gainMs, reason }) => [node, op, formatDecibels(sqnrDb), formatMs(gainMs), reason]),
        MAX_ROWS,
      ),
    ),
  ]
}

function removedChannels({ layers, macsBefore, macsAfter, parametersBefore, parametersAfter, refitted }: ChannelPruning): Block {
  const macs = macsBefore === null ? '' : `multiply-accumulates ${formatCount(macsBefore)} → ${formatCount(macsAfter)}, `
  const parameters = `parameters ${formatCount(parametersBefore)} → ${formatCount(parametersAfter)}`
  return folded(
    `Channels of ${formatCounted(layers.length, 'layer')}: ${macs}${parameters}${refitted ? ', weights re-fitted' : ''}`,
    cutTable(
      ['layer', 'operator', '>channels', '>now'],
      layers.map(({ node, op, before, after }) => [node, op, formatCount(before), formatCount(after)]),
      MAX_ROWS,
    ),
  )
}
