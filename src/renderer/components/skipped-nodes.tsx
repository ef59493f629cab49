import type { SkippedNode } from '../../contract/recipe.ts'
import { formatCounted } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { type CutColumn, CutTable } from './cut-table.tsx'
import { Section } from './section.tsx'

const columns: readonly CutColumn<SkippedNode>[] = [
  { header: 'Node', cell: ({ node }) => plainText(node, 120), className: 'es-mono es-wrap' },
  { header: 'Operator', cell: ({ op }) => plainText(op, 40) },
  { header: 'Why', cell: ({ reason }) => plainText(reason, 300), className: 'es-wrap' },
]

/** Nodes a recipe left alone, and why. */
export function SkippedNodes({ skipped }: { skipped: readonly SkippedNode[] }) {
  if (skipped.length === 0) return null
  return (
    <Section title="Left as they were" aside={formatCounted(skipped.length, 'node')} flush>
      <CutTable columns={columns} rows={skipped} />
    </Section>
  )
}
