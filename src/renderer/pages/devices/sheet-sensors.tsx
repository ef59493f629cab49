import type { DeviceReport } from '../../../contract/device.ts'
import { Facts } from '../../components/facts.tsx'
import tableClasses from '../../components/plain-table.module.css'
import { Section } from '../../components/section.tsx'
import { formatCounted, formatSignificant } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { mhzText, saidText } from './report-text.ts'
import { throttleText } from './throttle-text.ts'

interface SectionProps {
  readonly report: DeviceReport
}

/** Groups of cores that share a clock; an allowed clock below the highest is what power modes and heat leave. */
export function ClusterTable({ clusters }: Pick<DeviceReport, 'clusters'>) {
  if (clusters.length === 0) return null
  return (
    <Section title="Processor clusters" aside={formatCounted(clusters.length, 'group')} flush>
      <table className={tableClasses.table}>
        <thead>
          <tr>
            <th scope="col">Cores</th>
            <th scope="col">Governor</th>
            <th scope="col">Clock now</th>
            <th scope="col">Allowed</th>
            <th scope="col">Highest</th>
          </tr>
        </thead>
        <tbody>
          {clusters.map(({ cores, governor, currentMhz, allowedMhz, maxMhz }) => (
            <tr key={cores}>
              <td className="es-num">{plainText(cores, 60)}</td>
              <td>{saidText(governor, 40)}</td>
              <td className="es-num">{mhzText(currentMhz)}</td>
              <td className="es-num">{mhzText(allowedMhz)}</td>
              <td className="es-num">{mhzText(maxMhz)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  )
}

/** Temperatures when the device was probed, and what throttled it since it was started. */
export function ThermalSection({ report }: SectionProps) {
  const { thermalZones, temperatureC, throttled } = report
  return (
    <Section title="Thermal zones">
      <Facts
        facts={[
          { label: 'Processor', value: temperatureC === null ? 'not readable' : `${temperatureC.toFixed(1)} °C` },
          ...thermalZones.map(({ name, celsius }, index) => ({
            // Two zones may have one name.
            label: `${plainText(name, 40)}${thermalZones.findIndex((zone) => zone.name === name) === index ? '' : ` (${index})`}`,
            value: `${celsius.toFixed(1)} °C`,
          })),
          ...(throttled === null ? [] : [{ label: 'Throttling', value: throttleText(throttled), wide: true }]),
        ]}
      />
    </Section>
  )
}

/** Supply rails that can be read without root. */
export function PowerSection({ report: { powerRails } }: SectionProps) {
  if (powerRails.length === 0) {
    return (
      <Section title="Power rails">
        <span className="es-dim">No sensor that can be read without root: energy is not measurable here.</span>
      </Section>
    )
  }
  return (
    <Section title="Power rails" aside="when it was probed">
      <Facts
        facts={powerRails.map(({ name, watts }, index) => ({
          label: `${plainText(name, 60)}${powerRails.findIndex((rail) => rail.name === name) === index ? '' : ` (${index})`}`,
          value: watts === null ? 'not readable' : `${formatSignificant(watts)} W`,
        }))}
      />
    </Section>
  )
}

/** What only a Jetson has. Nothing on other machines. */
export function JetsonSection({ report }: SectionProps) {
  const { jetson, jetPack, l4t, powerMode, tensorRt, trtexec, cuda } = report
  if (jetson === null && jetPack === null && l4t === null && tensorRt === null) return null
  const mode = powerMode === null ? 'not readable' : `${plainText(powerMode.name, 60)}${powerMode.id === null ? '' : ` (${powerMode.id})`}`
  const found = (value: string | null) => (value === null ? 'not found' : plainText(value, 200))
  return (
    <Section title="Jetson">
      <Facts
        facts={[
          { label: 'JetPack', value: found(jetPack) },
          { label: 'L4T', value: found(l4t) },
          { label: 'Power mode', value: mode },
          { label: 'TensorRT', value: found(tensorRt) },
          { label: 'CUDA', value: found(cuda) },
          { label: 'trtexec', value: <span className="es-mono">{found(trtexec)}</span>, wide: true },
          ...(jetson === null ? [] : [{ label: 'Release line', value: plainText(jetson, 200), wide: true }]),
        ]}
      />
    </Section>
  )
}
