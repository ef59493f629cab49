import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core'
import { IconCloudUpload, IconDots, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Deployment } from '../../../contract/deployment.ts'
import { call } from '../../backend/call.ts'
import { useAction } from '../../backend/use-action.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { DetailHeader } from '../../components/detail-header.tsx'
import { StateDot } from '../../components/state-dot.tsx'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import classes from './deployment-detail.module.css'
import { serviceStates } from './service-state.ts'
import type { Service } from './use-service.ts'
import { RollbackButton } from './versions/rollback-button.tsx'
import { shortRelease } from './versions/version-rows.ts'

/** Name, state, version, device and address of a service, and what can be done with it. */
export function DeploymentHeader({ deployment, service: { state, report, history, rows } }: { deployment: Deployment; service: Service }) {
  const [, navigate] = useLocation()
  const [removing, setRemoving] = useState(false)
  const stop = useAction('deployments.stop')
  const restart = useAction('deployments.restart')
  const running = state === 'running'
  const current = rows.find(({ role }) => role === 'current')
  const device = deviceNameLabel(deployment.deviceId, deployment.device)
  const askAgain = { onSettled: () => void report.refetch() }
  return (
    <>
      <DetailHeader
        title={deployment.service}
        subtitle={
          <>
            <StateDot condition={serviceStates[state].condition}>{serviceStates[state].text}</StateDot>
            <Link href={`/models/${deployment.modelId}`} className={classes.link}>
              {plainText(current?.modelName ?? deployment.model, 80)}
            </Link>
            {current ? (
              <Tooltip label={`Release ${current.release}`}>
                <span className="es-mono" data-testid="current-release" data-release={current.release}>
                  {shortRelease(current.release)}
                </span>
              </Tooltip>
            ) : null}
            <Link href={`/devices/${deployment.deviceId}`} className={classes.link}>
              {device}
            </Link>
            <span>port {report.data?.port ?? deployment.port}</span>
          </>
        }
        actions={
          <>
            {running ? (
              <RollbackButton deploymentId={deployment.id} rows={rows} watched={(history?.live.watch ?? null) !== null} />
            ) : (
              <Button
                leftSection={<IconPlayerPlay size={14} />}
                loading={restart.isPending}
                onClick={() => restart.mutate({ id: deployment.id }, askAgain)}
                data-testid="deployment-start"
              >
                Start
              </Button>
            )}
            <Button
              variant="default"
              leftSection={<IconCloudUpload size={14} />}
              onClick={() => navigate(`/deployments/release/${deployment.id}`)}
              data-testid="deployment-new-release"
            >
              New release
            </Button>
            <Menu position="bottom-end" width={160}>
              <Menu.Target>
                <ActionIcon variant="default" size={30} aria-label="More" loading={stop.isPending} data-testid="deployment-more">
                  <IconDots size={16} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {running ? (
                  <Menu.Item
                    leftSection={<IconPlayerStop size={14} />}
                    onClick={() => stop.mutate({ id: deployment.id }, askAgain)}
                    data-testid="deployment-stop"
                  >
                    Stop
                  </Menu.Item>
                ) : null}
                <Menu.Item
                  color="red"
                  leftSection={<IconTrash size={14} />}
                  onClick={() => setRemoving(true)}
                  data-testid="deployment-remove"
                >
                  Remove…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        }
      />
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
          The service, its versions, its prediction log and its token are deleted from {device}. Clients that use it will fail. The models
          stay in the workspace.
        </ConfirmDialog>
      ) : null}
    </>
  )
}
