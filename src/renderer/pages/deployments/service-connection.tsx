import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { IconEye, IconEyeOff, IconPlugConnected } from '@tabler/icons-react'
import { useState } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import { CodeBlock } from '../../components/code-block.tsx'
import { CopyValue } from '../../components/copy-value.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Section } from '../../components/section.tsx'
import { curlExample } from './curl-example.ts'
import classes from './deployment-detail.module.css'
import { useServiceConnection } from './use-service-connection.ts'

/** Opens the tunnel; shows the address and the token it is used with. */
export function ServiceConnection({ deployment, running }: { deployment: Deployment; running: boolean }) {
  const connect = useServiceConnection(deployment.id)
  const { data: models } = useCall('models.list', {})
  const [revealed, setRevealed] = useState(false)
  const isLocal = deployment.deviceId === LOCAL_DEVICE_ID
  const model = models?.find(({ id }) => id === deployment.modelId)
  // A tunnel that was closed since (stopped, restarted) has no address any more.
  const connection = deployment.localUrl === null ? undefined : connect.connection
  return (
    <Section
      title="Connection"
      aside={connection ? (isLocal ? 'on this computer only' : 'through SSH, for this computer only') : undefined}
    >
      <div className={classes.connection}>
        {connection ? (
          <>
            <div className={classes.value}>
              <span className="es-dim">Address</span>
              <code className="es-wrap" data-testid="connect-url">
                {connection.url}
              </code>
              <CopyValue value={connection.url} what="address" />
            </div>
            <div className={classes.value}>
              <span className="es-dim">Token</span>
              <code className="es-wrap" data-testid="connect-token">
                {revealed ? connection.token : '•'.repeat(24)}
              </code>
              <span className={classes.buttons}>
                <Tooltip label={revealed ? 'Hide' : 'Show'}>
                  <ActionIcon size="sm" aria-label={revealed ? 'Hide the token' : 'Show the token'} onClick={() => setRevealed(!revealed)}>
                    {revealed ? <IconEyeOff size={14} /> : <IconEye size={14} />}
                  </ActionIcon>
                </Tooltip>
                <CopyValue value={connection.token} what="token" />
              </span>
            </div>
            <CodeBlock text={curlExample(connection.url, model?.report.inputs ?? [])} what="curl example" />
          </>
        ) : (
          <div className={classes.value}>
            <span className="es-dim">Address</span>
            <span className="es-dim">
              {running
                ? isLocal
                  ? 'Connect shows where it listens.'
                  : 'Connect opens a tunnel to the service.'
                : 'Start the service to reach it.'}
            </span>
            <Button
              leftSection={<IconPlugConnected size={14} />}
              disabled={!running}
              loading={connect.isPending}
              onClick={connect.connect}
              data-testid="deployment-connect"
            >
              Connect
            </Button>
          </div>
        )}
        {connect.error ? <ErrorNotice error={connect.error} onClose={connect.reset} /> : null}
      </div>
    </Section>
  )
}
