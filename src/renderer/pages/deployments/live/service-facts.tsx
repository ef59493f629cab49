import type { Deployment } from '../../../../contract/deployment.ts'
import type { ServiceLive, ServiceReport } from '../../../../contract/service-protocol.ts'
import { type Fact, Facts } from '../../../components/facts.tsx'
import { Section } from '../../../components/section.tsx'
import { formatBytes } from '../../../format/bytes.ts'
import { formatElapsed } from '../../../format/durations.ts'
import { formatCount, NOTHING } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { supervisionText } from '../service-state.ts'

interface ServiceFactsProps {
  readonly deployment: Deployment
  readonly report: ServiceReport | undefined
  readonly live: ServiceLive | undefined
}

/** Counts since the process started, what keeps it running, and who may ask it. */
export function ServiceFacts({ deployment, report, live }: ServiceFactsProps) {
  const { settings } = deployment
  const uptime = live?.uptimeSeconds ?? report?.uptimeSeconds ?? null
  const survives = report?.survivesReboot ?? deployment.survivesReboot
  const open = settings?.network ?? null
  const facts: Fact[] = [
    { label: 'Up for', value: uptime === null ? NOTHING : formatElapsed(uptime * 1000) },
    { label: 'Requests', value: <span data-testid="service-requests">{formatCount(live?.requests)}</span> },
    { label: 'Samples predicted', value: formatCount(live?.predictions) },
    { label: 'Failed', value: formatCount(live?.errors) },
    { label: 'Refused', value: formatCount(live?.rejected) },
    { label: 'Peak memory', value: formatBytes(live?.peakRssBytes) },
    { label: 'Connections', value: formatCount(live?.openConnections) },
    { label: 'Process', value: live?.pid ?? report?.pid ?? NOTHING },
    {
      label: 'Kept running by',
      value: (
        <span data-testid="service-supervision" data-survives={survives}>
          {supervisionText(report?.supervision ?? deployment.supervision, survives)}
        </span>
      ),
      wide: true,
    },
    ...(report?.rebootNote ? [{ label: 'After a reboot', value: plainText(report.rebootNote, 600), wide: true }] : []),
    {
      label: 'Reached from',
      value: open === null ? 'loopback of its device only' : `the network, as ${open.hosts.map((host) => plainText(host, 100)).join(', ')}`,
      wide: true,
    },
  ]
  return (
    <Section title="Since it started">
      <Facts facts={facts} />
    </Section>
  )
}
