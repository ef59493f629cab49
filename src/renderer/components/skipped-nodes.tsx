import { Button } from '@mantine/core'
import { useState } from 'react'
import type { SkippedNode } from '../../contract/recipe.ts'
import { formatCount, formatCounted } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import tableClasses from './plain-table.module.css'
import { Section } from './section.tsx'
import classes from './skipped-nodes.module.css'

/** Shown at first; a large model skips thousands of nodes for few reasons. */
const FIRST_ROWS = 12
/** Drawn at most. */
const MAX_ROWS = 500

/** Nodes a recipe left alone, and why. */
export function SkippedNodes({ skipped }: { skipped: readonly SkippedNode[] }) {
  const [all, setAll] = useState(false)
  if (skipped.length === 0) return null
  const shown = skipped.slice(0, all ? MAX_ROWS : FIRST_ROWS)
  return (
    <Section title="Left as they were" aside={formatCounted(skipped.length, 'node')} flush>
      <table className={tableClasses.table}>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Operator</th>
            <th scope="col">Why</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ node, op, reason }, index) => (
            <tr key={index}>
              <td className="es-mono es-wrap">{plainText(node, 120)}</td>
              <td>{plainText(op, 40)}</td>
              <td className="es-wrap">{plainText(reason, 300)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {skipped.length > shown.length ? (
        <div className={classes.more}>
          {all ? (
            `and ${formatCount(skipped.length - shown.length)} more`
          ) : (
            <Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>
              Show {skipped.length > MAX_ROWS ? `the first ${MAX_ROWS}` : 'all'}
            </Button>
          )}
        </div>
      ) : null}
    </Section>
  )
}
