import type { Deployment } from '../../../../contract/deployment.ts'
import detailClasses from '../../../components/detail.module.css'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { Section } from '../../../components/section.tsx'
import { WarningList } from '../../../components/warning-list.tsx'
import { ServiceConnection } from '../service-connection.tsx'
import type { Service } from '../use-service.ts'
import { RolloutProgress } from '../versions/rollout-progress.tsx'
import { LiveCharts } from './live-charts.tsx'
import { ServiceFacts } from './service-facts.tsx'

/** How a service does right now and did in the last minutes, and how it is reached. */
export function OverviewTab({
  deployment,
  service: { state, reached, report, live, history },
}: {
  deployment: Deployment
  service: Service
}) {
  const running = state === 'running'
  const message = report.data?.message
  return (
    <div className={detailClasses.sections}>
      {report.error ? <ErrorNotice error={report.error} /> : null}
      {message ? <WarningList warnings={[message]} /> : null}
      {history ? <RolloutProgress live={history.live} /> : null}
      {running && reached && live.error ? <ErrorNotice error={live.error} /> : null}
      {history ? <LiveCharts readings={history.readings} /> : null}
      {!history && !(running && reached && live.error) ? (
        <Section title="Right now">
          <span className="es-dim">
            {running && reached
              ? 'Asking what it measures…'
              : 'Latency, requests and errors are read from the service while it runs and its device is connected.'}
          </span>
        </Section>
      ) : null}
      <ServiceFacts deployment={deployment} report={report.data} live={history?.live} />
      <ServiceConnection deployment={deployment} running={running} />
    </div>
  )
}
