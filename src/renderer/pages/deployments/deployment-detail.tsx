import { Tabs } from '@mantine/core'
import { useState } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import detailClasses from '../../components/detail.module.css'
import tabClasses from '../../components/page-tabs.module.css'
import { formatCount } from '../../format/numbers.ts'
import classes from './deployment-detail.module.css'
import { DeploymentHeader } from './deployment-header.tsx'
import { DriftTab } from './drift/drift-tab.tsx'
import { OverviewTab } from './live/overview-tab.tsx'
import { ServiceLog } from './service-log.tsx'
import { TryTab } from './try-it/try-tab.tsx'
import { useService } from './use-service.ts'
import { ValidationTab } from './validation/validation-tab.tsx'
import { VersionsTab } from './versions/versions-tab.tsx'

/** A service: what it measures, its versions, drift, a form to ask it, validations, its log. */
export function DeploymentDetail({ deployment }: { deployment: Deployment }) {
  const [tab, setTab] = useState<string | null>('overview')
  const service = useService(deployment)
  const { state, history, rows } = service
  const running = state === 'running'
  const current = rows.find(({ role }) => role === 'current')
  const drifting = history?.live.drift?.triggered.length ?? 0
  return (
    <div className={`${detailClasses.detail} ${classes.detail}`} data-testid="deployment-detail" data-state={state}>
      <DeploymentHeader deployment={deployment} service={service} />
      <Tabs value={tab} onChange={setTab} keepMounted={false} variant="pills" classNames={{ root: classes.tabs, tab: tabClasses.tab }}>
        <Tabs.List className={classes.tabList} aria-label="About the service">
          <Tabs.Tab value="overview" data-testid="tab-service-overview">
            Live
          </Tabs.Tab>
          <Tabs.Tab value="versions" data-testid="tab-service-versions">
            Versions{rows.length > 1 ? ` (${formatCount(rows.length)})` : ''}
          </Tabs.Tab>
          <Tabs.Tab value="drift" data-testid="tab-service-drift">
            Drift{drifting > 0 ? ` (${formatCount(drifting)})` : ''}
          </Tabs.Tab>
          <Tabs.Tab value="try" data-testid="tab-service-try">
            Try it
          </Tabs.Tab>
          <Tabs.Tab value="validation" data-testid="tab-service-validation">
            Validation
          </Tabs.Tab>
          <Tabs.Tab value="log" data-testid="tab-service-log">
            Log
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview">
          <OverviewTab deployment={deployment} service={service} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsTab deployment={deployment} service={service} />
        </Tabs.Panel>
        <Tabs.Panel value="drift">
          <DriftTab deployment={deployment} live={history?.live} />
        </Tabs.Panel>
        <Tabs.Panel value="try">
          <TryTab deployment={deployment} running={running} release={current?.release ?? null} />
        </Tabs.Panel>
        <Tabs.Panel value="validation">
          <ValidationTab deployment={deployment} running={running} />
        </Tabs.Panel>
        <Tabs.Panel value="log" className={classes.logPanel}>
          <ServiceLog deployment={deployment} />
        </Tabs.Panel>
      </Tabs>
    </div>
  )
}
