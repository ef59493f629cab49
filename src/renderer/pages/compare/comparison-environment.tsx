import type { Comparison } from '../../../contract/measurement.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatCount, formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

/** The machine, the software and the method of a comparison. */
export function ComparisonEnvironment({ comparison }: { comparison: Comparison }) {
  const { environment, settings, rows } = comparison
  const blocks = rows.find(({ speedup }) => speedup !== null)?.speedup?.blocks
  const amount = settings.seconds ? `${settings.seconds} s` : `${formatCount(settings.runs)} runs`
  return (
    <Section title="Environment and method" aside={`Edgesmith ${plainText(environment.edgesmithVersion, 30)}`}>
      <Facts
        facts={[
          { label: 'Machine', value: plainText(environment.machine, 120) },
          { label: 'Processor', value: `${plainText(environment.cpu, 120)}, ${formatCounted(environment.logicalCores, 'core')}` },
          { label: 'Memory', value: formatBytes(environment.memoryBytes) },
          { label: 'System', value: `${plainText(environment.system, 120)} (${plainText(environment.architecture, 20)})` },
          { label: 'Clock governor', value: environment.governor ? plainText(environment.governor, 40) : 'not readable' },
          { label: 'Load at start', value: environment.loadAverage === null ? 'not readable' : environment.loadAverage.toFixed(2) },
          { label: 'Temperature', value: environment.temperatureC === null ? 'not readable' : `${environment.temperatureC.toFixed(1)} °C` },
          {
            label: 'Runtime',
            value: `ONNX Runtime ${plainText(environment.onnxRuntimeVersion, 30)}, Node ${plainText(environment.nodeVersion, 30)}`,
          },
          { label: 'Batch and threads', value: `${settings.batch} and ${settings.threads}` },
          { label: 'Measured', value: `${amount} each${blocks ? `, in ${blocks} interleaved blocks` : ''}` },
          { label: 'Warm-up', value: `${formatCount(settings.warmupRuns)} runs or ${settings.warmupSeconds} s, the longer` },
          {
            label: 'Intervals',
            value: '95 %; latency by order statistics, speed-up by bootstrap over blocks, accuracy by Wilson and McNemar',
            wide: true,
          },
        ]}
      />
    </Section>
  )
}
