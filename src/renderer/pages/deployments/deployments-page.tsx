import { Button } from '@mantine/core'
import { IconCloudUpload, IconPlus } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { Deployed, Deployment } from '../../../contract/deployment.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { EmptyPage } from '../../components/empty-page.tsx'
import { notifyDone } from '../../components/notify.tsx'
import pageClasses from '../../components/page.module.css'
import { PageHeader } from '../../components/page-header.tsx'
import { SplitView } from '../../components/split-view.tsx'
import { formatCounted } from '../../format/numbers.ts'
import { useDraft } from '../../hooks/use-draft.ts'
import { DeployDialog } from './deploy/deploy-dialog.tsx'
import { DeployProgress } from './deploy-progress.tsx'
import { DeploymentDetail } from './deployment-detail.tsx'
import classes from './deployments-page.module.css'
import { DeploymentsTable } from './deployments-table.tsx'
import { SecretsDialog } from './secrets-dialog.tsx'

interface DeploymentsPageProps {
  readonly selectedId: string | null
  /** Opens the dialog, with a model or for a new release of a service; null for no dialog. */
  readonly deploy: { readonly modelId: string | null; readonly deploymentId: string | null } | null
}

/** Services on devices. */
export function DeploymentsPage({ selectedId, deploy }: DeploymentsPageProps) {
  const [, navigate] = useLocation()
  const [jobId, setJobId] = useDraft<string | null>('deploy-job', () => null)
  const [secretsOf, setSecretsOf] = useDraft<string | null>('deploy-secrets', () => null)
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
          onDone={(deployed) => {
            setSecretsOf(jobId)
            setJobId(null)
            notifyDone(deployedText(deployed))
            navigate(`/deployments/${deployed.id}`)
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
              const wanted = selectedId ?? deploy?.deploymentId ?? null
              const selected = list.find(({ id }) => id === wanted) ?? list[0]
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
      {secretsOf === null ? null : <SecretsDialog jobId={secretsOf} onClose={() => setSecretsOf(null)} />}
      {deploy === null || !deployments.data ? null : (
        <DeployDialog
          modelId={deploy.modelId}
          releaseOf={deployments.data.find(({ id }) => id === deploy.deploymentId) ?? null}
          onStarted={(started) => {
            setJobId(started)
            navigate(back(deploy.deploymentId))
          }}
          onClose={() => navigate(back(deploy.deploymentId))}
        />
      )}
    </div>
  )
}

function back(deploymentId: Deployment['id'] | null): string {
  return deploymentId === null ? '/deployments' : `/deployments/${deploymentId}`
}

/** What was deployed, how much of it was checked, and what happens after a reboot. */
function deployedText({ service, checks, rebootNote, cancelledTooLate }: Deployed): string {
  if (cancelledTooLate) return `Cancelled too late: the release of ${service} had taken its place already. Roll back takes it back.`
  const passed = checks.filter((check) => check.passed).length
  const checked = passed > 0 ? `; ${formatCounted(passed, 'check')} passed` : ''
  return `${service} is deployed${checked}.${rebootNote === null ? '' : ` ${rebootNote}`}`
}
