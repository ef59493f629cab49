import { Sparkline } from '../../charts/sparkline.tsx'
import { telemetryLine } from '../../telemetry/telemetry-line.ts'
import { newestValue, readableMetrics } from '../../telemetry/telemetry-metrics.ts'
import { ThrottleChip } from '../../telemetry/throttle-chip.tsx'
import { useTelemetry } from '../../telemetry/use-telemetry.ts'
import classes from './device-card-telemetry.module.css'

/** Readings a tiny chart shows: a minute at one a second. */
const SHOWN = 60

/** How a device does right now, on its card; nothing while it is not connected. */
export function DeviceCardTelemetry({ deviceId }: { deviceId: string }) {
  const { asked, readings, error } = useTelemetry(deviceId)
  if (!asked) return null
  if (readings.length === 0) return <div className={classes.pending}>{error ? 'Live values are not readable' : 'Reading live values…'}</div>
  const recent = readings.slice(-SHOWN)
  const { readable, missing } = readableMetrics(recent)
  return (
    <>
      <dl className={classes.values} data-testid="card-telemetry" data-readings={readings.length}>
        {readable.map((metric) => {
          const value = newestValue(recent, metric)
          return (
            <div key={metric.key} className={classes.value}>
              <dt>{metric.label}</dt>
              <dd>
                <span className="es-num">{value === null ? 'not readable' : metric.format(value)}</span>
                <Sparkline values={telemetryLine(recent, metric).map((point) => point.value)} calmSpan={metric.calmSpan / metric.perUnit} />
              </dd>
            </div>
          )
        })}
        {missing.map(({ key, label }) => (
          <div key={key} className={classes.value}>
            <dt>{label}</dt>
            <dd className="es-dim">not readable</dd>
          </div>
        ))}
      </dl>
      <ThrottleChip causes={recent.at(-1)?.throttled ?? []} />
    </>
  )
}
