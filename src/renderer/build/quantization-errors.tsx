import type { OptimizeSummary, TensorError, WeightError } from '../../contract/recipe.ts'
import { type CutColumn, CutTable } from '../components/cut-table.tsx'
import { NodeName } from '../components/node-name.tsx'
import { Section } from '../components/section.tsx'
import { formatCounted, formatSignificant, NOTHING } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatDecibels, formatRoughPercent } from '../format/shares.ts'

/** Enough to see where it hurts. */
const FIRST_ROWS = 6

const tensorColumns: readonly CutColumn<TensorError>[] = [
  { header: 'Tensor', cell: ({ tensor, node, op }) => <NodeName name={tensor} op={node === '' ? 'input' : op} /> },
  { header: 'Against float', cell: ({ sqnrDb }) => formatDecibels(sqnrDb), align: 'right' },
  { header: 'Own rounding', cell: ({ localSqnrDb }) => formatDecibels(localSqnrDb), align: 'right' },
  { header: 'Cosine', cell: ({ cosine }) => cosine.toFixed(4), align: 'right' },
  { header: 'Clipped', cell: ({ saturated, values }) => (values > 0 ? formatRoughPercent(saturated / values) : NOTHING), align: 'right' },
  { header: 'Scale', cell: ({ scale }) => formatSignificant(scale), align: 'right' },
  { header: 'Zero', cell: ({ zeroPoint }) => zeroPoint, align: 'right' },
]

const weightColumns: readonly CutColumn<WeightError>[] = [
  { header: 'Node', cell: ({ node }) => plainText(node, 100), className: 'es-mono es-wrap' },
  { header: 'Operator', cell: ({ op }) => plainText(op, 40) },
  { header: 'Weight', cell: ({ tensor }) => plainText(tensor, 100), className: 'es-mono es-wrap' },
  { header: 'Rounding', cell: ({ sqnrDb }) => formatDecibels(sqnrDb), align: 'right' },
]

/** Activations and weights that lost most by quantization, worst first. */
export function QuantizationErrors({ summary: { tensors, weights } }: { summary: OptimizeSummary }) {
  return (
    <>
      {tensors.length > 0 ? (
        <Section title="Activations, worst first" aside={`${formatCounted(tensors.length, 'tensor')}, signal to noise`} flush>
          <CutTable columns={tensorColumns} rows={tensors} first={FIRST_ROWS} />
        </Section>
      ) : null}
      {weights.length > 0 ? (
        <Section title="Weights, worst first" aside={`${formatCounted(weights.length, 'tensor')}, signal to noise`} flush>
          <CutTable columns={weightColumns} rows={weights} first={FIRST_ROWS} />
        </Section>
      ) : null}
    </>
  )
}
