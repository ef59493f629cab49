import type { Device } from '../../../contract/device.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Section } from '../../components/section.tsx'
import { plainText } from '../../format/plain-text.ts'
import { TelemetryChart } from '../../telemetry/telemetry-chart.tsx'
import { newestValue, readableMetrics } from '../../telemetry/telemetry-metrics.ts'
import { ThrottleChip } from '../../telemetry/throttle-chip.tsx'
import { useTelemetry } from '../../telemetry/use-telemetry.ts'
import classes from './device-live.module.css'

/** How a device does right now and did in the last minutes; says so where it is not connected, and what it does not tell. */
export function DeviceLive({ device }: { device: Pick<Device, 'id'> }) {
  const { asked, readings, powerSource, error } = useTelemetry(device.id)
  if (!asked || readings.length === 0) {
    return (
      <Section title="Right now">
        {error && asked ? (
          <ErrorNotice error={error} />
        ) : (
          <span className="es-dim">
            {asked ? 'Reading temperature, clocks, load, memory and power…' : 'Live values are read while the device is connected.'}
          </span>
        )}
      </Section>
    )
  }
  const { readable, missing } = readableMetrics(readings)
  return (
    <section className={classes.live} aria-label="Right now" data-testid="device-live" data-readings={readings.length}>
      <ThrottleChip causes={readings.at(-1)?.throttled ?? []} />
      <div className={classes.charts}>
        {readable.map((metric) => {
          const value = newestValue(readings, metric)
          const source = metric.key === 'power' && powerSource !== null ? ` · ${plainText(powerSource, 60)}` : ''
          return (
            <TelemetryChart
              key={metric.key}
              metric={metric}
              readings={readings}
              time="before now"
              aside={`${value === null ? 'not readable' : metric.format(value)}${source}`}
            />
          )
        })}
      </div>
      {missing.length > 0 ? (
        <p className="es-dim" data-testid="telemetry-missing">
          Not readable here: {missing.map(({ label }) => label.toLowerCase()).join(', ')}.
        </p>
      ) : null}
    </section>
  )
}
