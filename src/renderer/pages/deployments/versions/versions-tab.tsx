import type { Deployment } from '../../../../contract/deployment.ts'
import detailClasses from '../../../components/detail.module.css'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import type { Service } from '../use-service.ts'
import { FailedReleases } from './failed-releases.tsx'
import { RolloutProgress } from './rollout-progress.tsx'
import { ServiceEvents } from './service-events.tsx'
import { TriedVersions } from './tried-versions.tsx'
import { VersionsTable } from './versions-table.tsx'

/** The versions of a service, what is being tried, what happened, and what failed. */
export function VersionsTab({ deployment, service: { report, history, rows } }: { deployment: Deployment; service: Service }) {
  return (
    <div className={detailClasses.sections}>
      {report.error ? <ErrorNotice error={report.error} /> : null}
      {history ? <RolloutProgress live={history.live} /> : null}
      <TriedVersions deploymentId={deployment.id} rows={history ? rows : []} />
      <VersionsTable rows={rows} />
      <FailedReleases deploymentId={deployment.id} rows={rows} onRemoved={() => void report.refetch()} />
      <ServiceEvents events={history?.live.events ?? report.data?.events ?? []} />
    </div>
  )
}
