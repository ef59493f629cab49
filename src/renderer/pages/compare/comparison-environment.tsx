import type { Comparison } from '../../../contract/measurement.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { environmentFacts } from '../../text/environment-facts.ts'

/** The machine, the software and the method of a comparison. */
export function ComparisonEnvironment({ comparison }: { comparison: Comparison }) {
  const { environment, settings, rows } = comparison
  const blocks = rows.find(({ speedup }) => speedup !== null)?.speedup?.blocks
  const amount = settings.seconds ? `${settings.seconds} s` : `${formatCount(settings.runs)} runs`
  return (
    <Section title="Environment and method" aside={`Edgesmith ${plainText(environment.edgesmithVersion, 30)}`}>
      <Facts
        facts={[
          ...environmentFacts(environment),
          { label: 'Batch and threads', value: `${settings.batch} and ${settings.threads}` },
          ...(settings.runtime === 'tensorrt' ? [{ label: 'Measured with', value: 'TensorRT (trtexec)' }] : []),
          { label: 'Measured', value: `${amount} each${blocks ? `, in ${blocks} interleaved blocks` : ''}` },
          { label: 'Warm-up', value: `${formatCount(settings.warmupRuns)} runs or ${settings.warmupSeconds} s, the longer` },
          {
            label: 'Intervals',
            value:
              '95 %; latency by order statistics, speed-up by bootstrap over blocks, accuracy by Wilson and McNemar, errors by bootstrap over samples',
            wide: true,
          },
        ]}
      />
    </Section>
  )
}
