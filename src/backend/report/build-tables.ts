import type { ChannelPruning, MixedPrecision, OptimizeSummary } from '../../contract/recipe.ts'
import { html, type Markup } from './html.ts'
import { formatCount, formatCounted, formatDecibels, formatMs, formatPercent, formatPoints } from './quantities.ts'

/** Rows listed; a reader who needs the rest has them in the JSON at the end of the report. */
const MAX_ROWS = 40

/** Nodes left in float for the accuracy budget, channels that were removed, and nodes left as before. */
export function buildTables({ mixedPrecision, channelPruning, skipped }: OptimizeSummary): Markup {
  return html`${mixedPrecision && leftInFloat(mixedPrecision)}${channelPruning && removedChannels(channelPruning)}${
    skipped.length > 0 &&
    folded(
      `${formatCounted(skipped.length, 'node')} left as before`,
      ['node', 'operator', 'reason'],
      skipped.map(({ node, op, reason }) => [node, op, reason]),
    )
  }`
}

function leftInFloat({ left, met, reached, baseline, maxDrop }: MixedPrecision): Markup {
  const outcome = `Accuracy budget ${met ? 'kept' : 'not kept'}: ${formatPercent(reached)} against ${formatPercent(baseline)}, at most ${formatPoints(maxDrop).replace('+', '')} allowed`
  if (left.length === 0) return html`<p>${outcome}. Nothing had to be left in float.</p>`
  return html`<p>${outcome}.</p>${folded(
    `${formatCounted(left.length, 'node')} left in float`,
    ['node', 'operator', 'signal to noise alone', 'would gain', 'reason'],
    left.map(({ node, op, sqnrDb, gainMs, reason }) => [node, op, formatDecibels(sqnrDb), formatMs(gainMs), reason]),
  )}`
}

function removedChannels({ layers, macsBefore, macsAfter, parametersBefore, parametersAfter, refitted }: ChannelPruning): Markup {
  const macs = macsBefore === null ? '' : `multiply-accumulates ${formatCount(macsBefore)} → ${formatCount(macsAfter)}, `
  const parameters = `parameters ${formatCount(parametersBefore)} → ${formatCount(parametersAfter)}`
  return folded(
    `Channels of ${formatCounted(layers.length, 'layer')}: ${macs}${parameters}${refitted ? ', weights re-fitted' : ''}`,
    ['layer', 'operator', 'channels', 'now'],
    layers.map(({ node, op, before, after }) => [node, op, formatCount(before), formatCount(after)]),
  )
}

function folded(summary: string, columns: readonly string[], rows: readonly (readonly string[])[]): Markup {
  return html`<details><summary>${summary}</summary><table class="skipped"><thead><tr>${columns.map((title) => html`<th>${title}</th>`)}</tr></thead>
${rows.slice(0, MAX_ROWS).map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</table>${
    rows.length > MAX_ROWS && html`<p>… and ${formatCount(rows.length - MAX_ROWS)} more, listed in the data at the end of this file.</p>`
  }</details>`
}
