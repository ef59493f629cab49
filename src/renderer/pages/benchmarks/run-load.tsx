import type { Load } from '../../../contract/measurement.ts'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatMs } from '../../format/durations.ts'
import { formatCount, formatLargeCount } from '../../format/numbers.ts'
import classes from './runs.module.css'

/** How the requests of a server or HTTP run fared. */
export function RunLoad({ load }: { load: Load }) {
  const { offeredPerSecond, answeredPerSecond, serviceMs, longestQueue, overloaded, errors } = load
  return (
    <Section title="Requests" aside="Latency above counts waiting from the moment a request was due">
      <Facts
        facts={[
          { label: 'Offered', value: offeredPerSecond === null ? 'as fast as answered' : `${formatLargeCount(offeredPerSecond)}/s` },
          { label: 'Answered', value: `${formatLargeCount(answeredPerSecond)}/s` },
          { label: 'In the model alone, p50', value: formatMs(serviceMs.p50) },
          { label: 'In the model alone, p99', value: serviceMs.p99 === null ? 'not enough samples' : formatMs(serviceMs.p99) },
          { label: 'Longest queue', value: formatCount(longestQueue) },
          { label: 'Failed', value: errors > 0 ? <span className={classes.failed}>{formatCount(errors)}</span> : '0' },
          ...(overloaded
            ? [
                {
                  label: 'Overloaded',
                  value: (
                    <span className={classes.failed}>
                      More requests came than could be answered: latencies grow with the length of the run and mean little. Try a lower
                      rate.
                    </span>
                  ),
                  wide: true,
                },
              ]
            : []),
        ]}
      />
    </Section>
  )
}
