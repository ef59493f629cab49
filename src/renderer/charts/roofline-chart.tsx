import type { MachinePeak, ProfileResult } from '../../contract/analysis.ts'
import { formatMs } from '../format/durations.ts'
import { formatSignificant } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import { formatRoughPercent } from '../format/shares.ts'
import { ChartFrame } from './chart-frame.tsx'
import { linePath } from './paths.ts'
import { Plot, type PlotArea } from './plot.tsx'
import { decadeAxis, type PlotAxis } from './plot-axis.ts'
import { precisionColor } from './precision-color.ts'
import { roofAt, rooflinePoints } from './roofline.ts'

const HEIGHT = 320
/** More would be a cloud; the slowest are what matters. */
const DRAWN = 1500

interface RooflineChartProps {
  readonly profile: ProfileResult
  readonly selectedLayer: string | null
  readonly onSelect: (layer: string) => void
}

/** What each kernel reaches, against what the machine could do at most. */
export function RooflineChart({ profile, selectedLayer, onSelect }: RooflineChartProps) {
  const { peak } = profile
  const all = rooflinePoints(profile.kernels, peak)
  const points = all.slice(0, DRAWN)
  const slowest = points[0]?.kernel.ms ?? 1
  const x = decadeAxis(
    points.map(({ intensity }) => intensity),
    { label: 'multiply-accumulates a byte', format: powerOfTen },
  )
  const y = decadeAxis([...points.map(({ gmacsPerSecond }) => gmacsPerSecond), ...(peak ? [peak.gmacsFloat32, peak.gmacsInt8 ?? 0] : [])], {
    label: 'GMAC/s',
    format: powerOfTen,
  })
  return (
    <ChartFrame
      title="Roofline"
      height={HEIGHT}
      testId="roofline"
      aside={
        peak
          ? `float32 ${formatSignificant(peak.gmacsFloat32)}, ${peak.gmacsInt8 === null ? '' : `int8 ${formatSignificant(peak.gmacsInt8)}, `}GMAC/s; memory ${formatSignificant(peak.gbPerSecond)} GB/s`
          : 'the machine’s peak was not measured'
      }
      note={`Close to a line is as good as it gets. Under the slope memory is the limit, under the flat part arithmetic; far below both the kernel wastes time. Larger points take longer${all.length > points.length ? `; the slowest ${DRAWN} of ${all.length} are drawn` : ''}.`}
      table={{
        columns: ['kernel', 'layer', 'precision', 'ms', 'macs_per_byte', 'gmacs_per_second', 'roof_gmacs_per_second'],
        rows: all.map(({ kernel, intensity, gmacsPerSecond, roofGmacs }) => [
          kernel.kernel,
          kernel.layer,
          kernel.precision,
          kernel.ms,
          intensity,
          gmacsPerSecond,
          roofGmacs,
        ]),
      }}
    >
      {(width) => (
        <Plot
          label="Roofline"
          width={width}
          height={HEIGHT}
          x={x}
          y={y}
          nearest="both"
          onChoose={(index) => {
            const point = points[index]
            if (point) onSelect(point.kernel.layer)
          }}
          points={points.map(({ kernel, intensity, gmacsPerSecond, roofGmacs }) => ({
            x: intensity,
            y: gmacsPerSecond,
            lines: [
              plainText(kernel.layer, 80),
              `${plainText(kernel.kernel, 60)}, ${plainText(kernel.precision, 20)}`,
              `${formatMs(kernel.ms)}, ${formatSignificant(gmacsPerSecond)} GMAC/s`,
              ...(roofGmacs === null ? [] : [`${formatRoughPercent(gmacsPerSecond / roofGmacs)} of what is possible`]),
            ],
          }))}
        >
          {(area) => (
            <>
              {peak ? <Roofs peak={peak} x={x} area={area} /> : null}
              {points.map(({ kernel, intensity, gmacsPerSecond }, index) => (
                <circle
                  key={`${index} ${kernel.name}`}
                  cx={area.x(intensity)}
                  cy={area.y(gmacsPerSecond)}
                  r={2.5 + 6 * Math.sqrt(kernel.ms / slowest)}
                  fill={precisionColor(kernel.precision)}
                  fillOpacity={selectedLayer === null || kernel.layer === selectedLayer ? 0.75 : 0.2}
                  stroke={kernel.layer === selectedLayer ? 'var(--es-text)' : 'var(--es-panel)'}
                />
              ))}
            </>
          )}
        </Plot>
      )}
    </ChartFrame>
  )
}

function Roofs({ peak, x, area }: { peak: MachinePeak; x: PlotAxis; area: PlotArea }) {
  const roofs = [
    { name: 'float32', gmacs: peak.gmacsFloat32 },
    ...(peak.gmacsInt8 === null ? [] : [{ name: 'int8', gmacs: peak.gmacsInt8 }]),
  ]
  const [low, high] = x.domain
  return roofs.map(({ name, gmacs }) => {
    const corner = Math.min(high, Math.max(low, gmacs / peak.gbPerSecond))
    const line = [low, corner, high].map((at) => [area.x(at), area.y(roofAt(at, gmacs, peak.gbPerSecond))] as const)
    return (
      <g key={name}>
        <path d={linePath(line)} fill="none" stroke={precisionColor(name)} strokeWidth={1.6} />
        <text x={area.width - 4} y={Math.max(12, area.y(gmacs) - 5)} textAnchor="end" fontSize={11} fill={precisionColor(name)}>
          {name}
        </text>
      </g>
    )
  })
}

function powerOfTen(value: number): string {
  return value >= 0.001 && value <= 1000 ? String(value) : `1e${Math.round(Math.log10(value))}`
}
