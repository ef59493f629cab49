import type { ChannelPruning } from '../../contract/recipe.ts'
import { type CutColumn, CutTable } from '../components/cut-table.tsx'
import { Section } from '../components/section.tsx'
import { formatMs } from '../format/durations.ts'
import { formatCount, formatCounted, formatLargeCount } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatRoughPercent } from '../format/shares.ts'
import classes from './build-sections.module.css'

const columns: readonly CutColumn<ChannelPruning['layers'][number]>[] = [
  { header: 'Layer', cell: ({ node }) => plainText(node, 120), className: 'es-mono es-wrap' },
  { header: 'Operator', cell: ({ op }) => plainText(op, 40) },
  { header: 'Channels', cell: ({ before }) => formatCount(before), align: 'right' },
  { header: 'Now', cell: ({ after }) => formatCount(after), align: 'right' },
  { header: 'Kept', cell: ({ before, after }) => formatRoughPercent(before > 0 ? after / before : null), align: 'right' },
]

/** What channel pruning removed, layer by layer. */
export function ChannelPruningSection({ pruning }: { pruning: ChannelPruning }) {
  const { layers, refitted } = pruning
  return (
    <Section title="Channels removed" aside={`${formatCounted(layers.length, 'layer')}${refitted ? ', weights re-fitted' : ''}`} flush>
      <p className={classes.line}>{totals(pruning)}</p>
      {layers.length > 0 ? <CutTable columns={columns} rows={layers} /> : null}
    </Section>
  )
}

function totals({ macsBefore, macsAfter, parametersBefore, parametersAfter, latencyBeforeMs, latencyAfterMs }: ChannelPruning): string {
  const change = (what: string, before: number, after: number, format: (value: number) => string) =>
    `${what} ${format(before)} → ${format(after)} (${formatRoughPercent(after / before)})`
  return [
    ...(macsBefore !== null && macsAfter !== null ? [change('MACs', macsBefore, macsAfter, formatLargeCount)] : []),
    change('Parameters', parametersBefore, parametersAfter, formatLargeCount),
    ...(latencyBeforeMs !== null && latencyAfterMs !== null ? [change('Latency here', latencyBeforeMs, latencyAfterMs, formatMs)] : []),
  ].join(' · ')
}
