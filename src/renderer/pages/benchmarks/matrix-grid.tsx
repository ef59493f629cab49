import { IconAlertTriangle } from '@tabler/icons-react'
import type { CSSProperties } from 'react'
import { useLocation } from 'wouter'
import type { Matrix, MatrixCell } from '../../../contract/matrix.ts'
import { formatMs } from '../../format/durations.ts'
import { formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRatio } from '../../format/shares.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { metricLabel, metricValue } from '../../text/metric-text.ts'
import classes from './matrix-grid.module.css'
import { type CellShade, cellAt, isUndecided, type MatrixMode, shadeOf, speedOf } from './matrix-look.ts'

const hues = { time: 'var(--es-ember)', faster: 'var(--es-good)', slower: 'var(--es-bad)' } as const
/** Text on the strongest shade must still be read. */
const STRONGEST_PERCENT = 38

/** Devices by builds: latency with its interval, or speed against the first build, each cell shaded by it. */
export function MatrixGrid({ matrix, mode }: { matrix: Matrix; mode: MatrixMode }) {
  return (
    <table className={classes.grid} aria-label="Latency of every build on every device" data-testid="matrix-grid">
      <thead>
        <tr>
          <th scope="col">Device</th>
          {matrix.models.map(({ id, name }) => (
            <th key={id} scope="col" className="es-wrap">
              {plainText(name, 80)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {matrix.devices.map((device) => (
          <tr key={device.id}>
            <th scope="row" className={classes.device}>
              <span className="es-wrap">{deviceNameLabel(device.id, device.name)}</span>
              {device.board === null ? null : <span className={classes.board}>{plainText(device.board, 60)}</span>}
            </th>
            {matrix.models.map((model) => {
              const cell = cellAt(matrix, model.id, device.id)
              return (
                <td key={model.id} className={classes.cell} style={shadeStyle(shadeOf(matrix, cell, mode))} data-testid="matrix-cell">
                  {cell ? <Cell matrix={matrix} cell={cell} mode={mode} /> : null}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Cell({ matrix, cell, mode }: { matrix: Matrix; cell: MatrixCell; mode: MatrixMode }) {
  const [, navigate] = useLocation()
  if (cell.benchmarkId === null) {
    const message = cell.error ? plainText(cell.error.message, 300) : 'not measured'
    return (
      <div className={classes.content} title={message}>
        <span className={classes.failed}>
          <IconAlertTriangle size={13} aria-hidden />
          {plainText(cell.error?.code ?? 'not measured', 40)}
        </span>
      </div>
    )
  }
  const [main, small] = mode === 'ms' ? latencyLines(cell) : speedLines(matrix, cell)
  return (
    <button
      type="button"
      className={classes.content}
      onClick={() => navigate(`/benchmarks/runs/${cell.benchmarkId}`)}
      title={`p95 ${formatMs(cell.p95Ms)}${cell.noise ? `, machine ${cell.noise.label}` : ''}. Opens the run.`}
    >
      <span className={classes.main}>{main}</span>
      <span className={classes.small}>{small}</span>
      {cell.metric ? (
        <span className={classes.small}>
          {metricLabel(cell.metric.name)} {metricValue(cell.metric.name, cell.metric.value)}
        </span>
      ) : null}
      {cell.energy?.measurable ? <span className={classes.small}>{formatSignificant(cell.energy.grossMj)} mJ</span> : null}
      {cell.error ? (
        <span className={classes.failed}>
          <IconAlertTriangle size={13} aria-hidden />
          {plainText(cell.error.code, 40)}
        </span>
      ) : null}
    </button>
  )
}

function latencyLines({ p50Ms, p50Ci }: MatrixCell): [string, string] {
  return [formatMs(p50Ms), p50Ci ? `${formatSignificant(p50Ci[0])} – ${formatSignificant(p50Ci[1])}` : 'no interval']
}

function speedLines(matrix: Matrix, cell: MatrixCell): [string, string] {
  const speed = speedOf(matrix, cell)
  if (!speed) return cell.modelId === matrix.models[0]?.id ? ['1×', formatMs(cell.p50Ms)] : [NOTHING, formatMs(cell.p50Ms)]
  const interval = speed.interval ? `${formatRatio(speed.interval[0])} – ${formatRatio(speed.interval[1])}` : 'no interval'
  return [formatRatio(speed.ratio), isUndecided(speed) ? `${interval}, no difference shown` : interval]
}

function shadeStyle({ tone, strength }: CellShade): CSSProperties | undefined {
  if (tone === 'none') return undefined
  const percent = Math.round((tone === 'time' ? strength : 0.25 + 0.75 * strength) * STRONGEST_PERCENT)
  return { background: `color-mix(in srgb, ${hues[tone]} ${percent}%, var(--es-sunken))` }
}
