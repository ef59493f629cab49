import { Button, Group, Stack } from '@mantine/core'
import { CodeBlock } from '../../components/code-block.tsx'
import { Facts } from '../../components/facts.tsx'
import { useFocusOnMount } from '../../hooks/use-focus-on-mount.ts'
import classes from './host-key.module.css'
import type { HostKeyDetails } from './host-key-details.ts'

interface HostKeyConfirmProps {
  readonly details: HostKeyDetails
  readonly pending: boolean
  readonly onAccept: () => void
  readonly onCancel: () => void
}

/** Shows the key of a host that was never seen and asks whether it is the right one. */
export function HostKeyConfirm({ details, pending, onAccept, onCancel }: HostKeyConfirmProps) {
  const cancel = useFocusOnMount<HTMLButtonElement>()
  return (
    <Stack gap="sm" data-testid="host-key-confirm" data-jump={details.jump ?? undefined}>
      <p className={classes.lead}>
        {details.jump
          ? 'The way to the device goes through a jump host this computer has never connected to. If the fingerprint below is the one that host shows, you are talking to it and nobody in between.'
          : 'This computer has never connected to this host. If the fingerprint below is the one the device shows, you are talking to your device and nobody in between.'}
      </p>
      <div className={classes.fingerprint} data-testid="host-key-fingerprint">
        {details.fingerprint}
      </div>
      <Facts
        facts={[
          { label: details.jump ? 'Jump host' : 'Host', value: details.jump ?? details.address },
          { label: 'Key type', value: details.keyType },
        ]}
      />
      <div className="es-dim">Compare it with what this prints {details.jump ? 'on the jump host' : 'on the device'}:</div>
      <CodeBlock text={'for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$f"; done'} what="command" />
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onCancel} disabled={pending} ref={cancel}>
          Cancel
        </Button>
        <Button onClick={onAccept} loading={pending} data-testid="host-key-accept">
          Accept and connect
        </Button>
      </Group>
    </Stack>
  )
}
