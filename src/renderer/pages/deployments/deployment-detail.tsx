import { Button } from '@mantine/core'
import { IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Deployment } from '../../../contract/deployment.ts'
import { call } from '../../backend/call.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { StateDot } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import classes from './deployment-detail.module.css'
import { ServiceConnection } from './service-connection.tsx'
import { ServiceLog } from './service-log.tsx'
import { serviceStates } from './service-state.ts'
import { ServiceStatusSection } from './service-status-section.tsx'
import { TryService } from './try-service.tsx'

/** How often a service is asked how it is, while somebody looks. */
const STATUS_EVERY_MS = 2000

/** A service: how it is, how to reach it, a request to try, its log. */
export function DeploymentDetail({ deployment }: { deployment: Deployment }) {
  const [, navigate] = useLocation()
  const [removing, setRemoving] = useState(false)
  const status = useCall('deployments.status', { id: deployment.id }, { refetchIntervalMs: STATUS_EVERY_MS })
  const stop = useAction('deployments.stop')
  const restart = useAction('deployments.restart')
  const state = status.data?.state ?? deployment.state
  const running = state === 'running'
  return (
    <div className={detailClasses.detail} data-testid="deployment-detail" data-state={state}>
      <DetailHeader
        title={deployment.service}
        subtitle={
          <>
            <StateDot condition={serviceStates[state].condition}>{serviceStates[state].text}</StateDot>
            <Link href={`/models/${deployment.modelId}`} className={classes.link}>
              {plainText(deployment.model, 80)}
            </Link>
            <Link href={`/devices/${deployment.deviceId}`} className={classes.link}>
              {deviceNameLabel(deployment.deviceId, deployment.device)}
            </Link>
            <span>port {deployment.port}</span>
          </>
        }
        actions={
          <>
            {running ? (
              <Button
                variant="default"
                leftSection={<IconPlayerStop size={14} />}
                loading={stop.isPending}
                onClick={() => stop.mutate({ id: deployment.id }, { onSettled: () => void status.refetch() })}
                data-testid="deployment-stop"
              >
                Stop
              </Button>
            ) : (
              <Button
                leftSection={<IconPlayerPlay size={14} />}
                loading={restart.isPending}
                onClick={() => restart.mutate({ id: deployment.id }, { onSettled: () => void status.refetch() })}
                data-testid="deployment-start"
              >
                Start
              </Button>
            )}
            <Button
              variant="default"
              leftSection={<IconTrash size={14} />}
              onClick={() => setRemoving(true)}
              data-testid="deployment-remove"
            >
              Remove…
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <ServiceStatusSection query={status} />
        <ServiceConnection deployment={deployment} running={running} />
        <TryService deployment={deployment} running={running} />
        <ServiceLog deployment={deployment} />
      </div>
      {removing ? (
        <ConfirmDialog
          title={`Remove ${deployment.service}?`}
          confirmLabel="Stop and remove"
          destructive
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await call('deployments.remove', { id: deployment.id })
            navigate('/deployments')
          }}
        >
          The service is stopped and deleted from {deviceNameLabel(deployment.deviceId, deployment.device)}. Clients that use it will fail.
          The model stays in the workspace.
        </ConfirmDialog>
      ) : null}
    </div>
  )
}
