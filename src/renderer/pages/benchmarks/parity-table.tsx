import type { ParityDetail } from '../../../contract/evaluation.ts'
import { type CutColumn, CutTable } from '../../components/cut-table.tsx'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import { metricValue } from '../../text/metric-text.ts'

const columns: readonly CutColumn<ParityDetail['outputs'][number]>[] = [
  { header: 'Output', cell: ({ name, type }) => `${plainText(name, 80)} (${plainText(type, 20)})`, className: 'es-mono es-wrap' },
  { header: 'SQNR', cell: ({ sqnrDb }) => metricValue('sqnrDb', sqnrDb), align: 'right' },
  { header: 'Cosine', cell: ({ cosine }) => metricValue('cosine', cosine), align: 'right' },
  { header: 'Worst sample', cell: ({ worstCosine }) => metricValue('cosine', worstCosine), align: 'right' },
  { header: 'Largest difference', cell: ({ maxAbsDiff }) => metricValue('maxAbsDiff', maxAbsDiff), align: 'right' },
  { header: 'Mean difference', cell: ({ meanAbsDiff }) => metricValue('maxAbsDiff', meanAbsDiff), align: 'right' },
  { header: 'Same top class', cell: ({ agreement }) => metricValue('agreement', agreement), align: 'right' },
]

/** How far each output is from the baseline's on the same samples. */
export function ParityTable({ parity, baseline }: { parity: ParityDetail; baseline: string | null }) {
  return (
    <Section title="Against the baseline" aside={baseline ?? undefined} flush>
      <CutTable columns={columns} rows={parity.outputs} />
    </Section>
  )
}
