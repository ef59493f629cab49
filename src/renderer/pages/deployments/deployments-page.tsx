import { Button } from '@mantine/core'
import { IconCloudUpload, IconPlus } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import { DeployDialog } from './deploy-dialog.tsx'
import { DeployProgress } from './deploy-progress.tsx'
import { DeploymentDetail } from './deployment-detail.tsx'
import classes from './deployments-page.module.css'
import { DeploymentsTable } from './deployments-table.tsx'

interface DeploymentsPageProps {
  readonly selectedId: string | null
  /** Opens the dialog; empty when no model is preset, null for no dialog. */
  readonly deployModelId: string | null
}

/** Services on devices. */
export function DeploymentsPage({ selectedId, deployModelId }: DeploymentsPageProps) {
  const [, navigate] = useLocation()
  const [jobId, setJobId] = useDraft<string | null>('deploy-job', () => null)
  const deployments = useCall('deployments.list', {})
  return (
    <div className={pageClasses.page}>
      <PageHeader
        title="Deployments"
        actions={
          <Button leftSection={<IconPlus size={15} />} onClick={() => navigate('/deployments/new')} data-testid="deploy-new">
            Deploy a model
          </Button>
        }
      />
      <div className={`${pageClasses.body} ${classes.body}`}>
        <DeployProgress
          jobId={jobId}
          onDone={(deploymentId) => {
            setJobId(null)
            navigate(`/deployments/${deploymentId}`)
          }}
          onClose={() => setJobId(null)}
        />
        <div className={classes.view}>
          <AsyncView query={deployments}>
            {(list) => {
              if (list.length === 0) {
                return (
                  <EmptyPage
                    Icon={IconCloudUpload}
                    title="Nothing is deployed"
                    testId="deployments-empty"
                    actions={
                      <Button size="sm" onClick={() => navigate('/deployments/new')}>
                        Deploy a model
                      </Button>
                    }
                  >
                    Deploying serves a model or build as a REST API on a device or on this computer. It listens there on loopback only; this
                    window reaches it through SSH, with an access token.
                  </EmptyPage>
                )
              }
              const selected = list.find(({ id }) => id === selectedId) ?? list[0]
              return (
                <SplitView
                  name="deployments"
                  listSize={46}
                  list={
                    <DeploymentsTable
                      deployments={list}
                      selectedId={selected?.id ?? null}
                      onSelect={(id) => navigate(`/deployments/${id}`)}
                    />
                  }
                  detail={selected ? <DeploymentDetail key={selected.id} deployment={selected} /> : null}
                />
              )
            }}
          </AsyncView>
        </div>
      </div>
      {deployModelId === null ? null : (
        <DeployDialog
          modelId={deployModelId || null}
          onStarted={(started) => {
            setJobId(started)
            navigate('/deployments')
          }}
          onClose={() => navigate('/deployments')}
        />
      )}
    </div>
  )
}
