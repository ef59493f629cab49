import { Sparkline } from '@mantine/charts'
import type { UseQueryResult } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { ServiceStatus } from '../../../contract/deployment.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatElapsed, formatMs } from '../../format/durations.ts'
import { formatCount, formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './deployment-detail.module.css'
import { type RequestReading, requestRates, withReading } from './request-rate.ts'

/** What the service says of itself, asked again every two seconds, with the request rate of the last two minutes. */
export function ServiceStatusSection({ query }: { query: UseQueryResult<ServiceStatus> }) {
  const [readings, setReadings] = useState<readonly RequestReading[]>([])
  const { data: status, dataUpdatedAt } = query
  useEffect(() => {
    if (status) setReadings((previous) => withReading(previous, dataUpdatedAt, status))
  }, [status, dataUpdatedAt])
  const rates = requestRates(readings)
  return (
    <Section title="Status" aside="asked every 2 s">
      <AsyncView query={query}>
        {(now) => (
          <>
            <Facts
              facts={[
                { label: 'Up for', value: now.uptimeSeconds === null ? NOTHING : formatElapsed(now.uptimeSeconds * 1000) },
                { label: 'Requests', value: formatCount(now.requests) },
                { label: 'Errors', value: formatCount(now.errors) },
                { label: 'p50', value: formatMs(now.latencyP50Ms) },
                { label: 'p95', value: formatMs(now.latencyP95Ms) },
                { label: 'Memory', value: formatBytes(now.rssBytes) },
                { label: 'Process', value: now.pid ?? NOTHING },
                ...(now.message ? [{ label: 'Message', value: plainText(now.message, 600), wide: true }] : []),
              ]}
            />
            {rates.length > 1 ? (
              <div className={classes.spark}>
                <div className={classes.sparkLabel}>
                  <span>Requests per second, last two minutes</span>
                  <span>{formatSignificant(rates.at(-1) ?? 0)} now</span>
                </div>
                <Sparkline h={36} data={rates} curveType="linear" color="var(--es-accent)" fillOpacity={0.25} strokeWidth={1.5} />
              </div>
            ) : null}
          </>
        )}
      </AsyncView>
    </Section>
  )
}
