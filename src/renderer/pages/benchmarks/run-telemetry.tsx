import type { Benchmark } from '../../../contract/measurement.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount, formatSignificant } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { TelemetryChart } from '../../telemetry/telemetry-chart.tsx'
import { readableMetrics } from '../../telemetry/telemetry-metrics.ts'
import classes from './runs.module.css'

/** How the machine was during a run, under its samples: temperature, clocks, load, memory, power; and the energy of one inference. */
export function RunTelemetry({ run }: { run: Benchmark }) {
  const query = useCall('benchmarks.telemetry', { id: run.id })
  const readings = query.data?.readings ?? []
  const powerSource = query.data?.powerSource ?? null
  return (
    <>
      {query.error ? <ErrorNotice error={query.error} /> : null}
      {readings.length > 1 ? (
        <div className={classes.telemetry} data-testid="run-telemetry" data-readings={readings.length}>
          {readableMetrics(readings).readable.map((metric) => (
            <TelemetryChart
              key={metric.key}
              metric={metric}
              readings={readings}
              time="since start"
              {...(metric.key === 'power' && powerSource !== null ? { aside: plainText(powerSource, 60) } : {})}
            />
          ))}
        </div>
      ) : null}
      {run.energy ? <EnergySection energy={run.energy} /> : null}
    </>
  )
}

function EnergySection({ energy }: { energy: NonNullable<Benchmark['energy']> }) {
  if (!energy.measurable) {
    return (
      <Section title="Energy">
        <span className="es-dim es-wrap" data-testid="run-energy" data-measurable="false">
          Not measurable: {plainText(energy.reason, 400)}
        </span>
      </Section>
    )
  }
  const { grossMj, netMj, meanW, idleW, readings, source, estimated } = energy
  return (
    <Section title="Energy of one inference" aside={`${plainText(source, 80)}${estimated ? ', estimated' : ''}`}>
      <div data-testid="run-energy" data-measurable="true" data-gross-mj={grossMj}>
        <Facts
          facts={[
            { label: 'Whole board', value: `${formatSignificant(grossMj)} mJ` },
            { label: 'Above idle', value: `${formatSignificant(netMj)} mJ` },
            { label: 'Mean power', value: `${formatSignificant(meanW)} W` },
            { label: 'Idle power before', value: `${formatSignificant(idleW)} W` },
            { label: 'Readings', value: formatCount(readings) },
          ]}
        />
      </div>
    </Section>
  )
}
