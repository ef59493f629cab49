import { Button, Group, Modal, Stack } from '@mantine/core'
import { useCall } from '../../backend/use-call.ts'
import { CopyValue } from '../../components/copy-value.tsx'
import { plainText } from '../../format/plain-text.ts'
import classes from './deployments-page.module.css'

/** Keys and the webhook's secret that a deployment just made: shown once, because they are kept nowhere. Nothing where it made none. */
export function SecretsDialog({ jobId, onClose }: { jobId: string; onClose: () => void }) {
  const secrets = useCall('deploy.secrets', { jobId })
  const { apiKeys, webhookSecret } = secrets.data ?? { apiKeys: [], webhookSecret: null }
  const rows = [
    ...apiKeys.map(({ name, key }) => ({ label: `Key of ${plainText(name, 64)}`, value: key })),
    ...(webhookSecret === null ? [] : [{ label: 'Secret of the webhook', value: webhookSecret }]),
  ]
  if (rows.length === 0) return null
  return (
    <Modal opened onClose={onClose} title="Copy these now" size={560} closeOnClickOutside={false}>
      <Stack gap="sm">
        <span>They are shown this once and kept nowhere. The device knows only what it needs to check them.</span>
        {rows.map(({ label, value }) => (
          <div key={label} className={classes.secret}>
            <span className="es-dim es-wrap">{label}</span>
            <code className="es-mono es-wrap" data-testid="made-secret">
              {value}
            </code>
            <CopyValue value={value} what={label.toLowerCase()} />
          </div>
        ))}
        <Group justify="flex-end">
          <Button onClick={onClose} data-testid="secrets-close">
            I have copied them
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
