import { precisionColor } from '../../charts/precision-color.ts'
import { formatMs } from '../../format/durations.ts'
import { type GraphColoring, sqnrSteps } from './graph-look.ts'
import classes from './layers-view.module.css'

/** What the colours of the graphs mean. */
export function GraphLegend({ coloring, slowestMs }: { coloring: GraphColoring; slowestMs: number }) {
  const entries =
    coloring === 'time'
      ? [
          { color: 'color-mix(in srgb, var(--es-ember) 10%, var(--es-panel))', label: 'little time' },
          { color: 'color-mix(in srgb, var(--es-ember) 80%, var(--es-panel))', label: formatMs(slowestMs) },
        ]
      : coloring === 'precision'
        ? ['float32', 'float16', 'int8', 'int4'].map((label) => ({ color: precisionColor(label), label }))
        : sqnrSteps.map(({ color, label }) => ({ color, label }))
  return (
    <ul className={classes.legend} aria-label="Colours">
      {entries.map(({ color, label }) => (
        <li key={label}>
          <span className={classes.swatch} style={{ background: color }} aria-hidden />
          {label}
        </li>
      ))}
      <li>
        <span className={`${classes.swatch} ${classes.unmatched}`} aria-hidden />
        without a counterpart
      </li>
      <li>
        <span className={`${classes.swatch} ${classes.fused}`} aria-hidden />
        fused or folded away
      </li>
      <li className="es-dim">Drag to pan, wheel to zoom. Rows of the table and nodes select each other.</li>
    </ul>
  )
}
