import { Button, Group, Stack } from '@mantine/core'
import { IconShieldX } from '@tabler/icons-react'
import type { ErrorReport } from '../../../contract/errors.ts'
import { plainText } from '../../format/plain-text.ts'
import { useFocusOnMount } from '../../hooks/use-focus-on-mount.ts'
import classes from './host-key.module.css'
import type { HostKeyDetails } from './host-key-details.ts'
import { HostKeys } from './host-keys.tsx'

interface HostKeyChangedProps {
  readonly report: ErrorReport
  readonly details: HostKeyDetails
  readonly onBack: () => void
  readonly onClose: () => void
}

/**
 * A host that shows another key than before. There is no button to go on: that is the point. Who set the device up anew gives its
 * fingerprint in the form, read on the device itself.
 */
export function HostKeyChanged({ report, details, onBack, onClose }: HostKeyChangedProps) {
  const close = useFocusOnMount<HTMLButtonElement>()
  return (
    <Stack gap="sm" data-testid="host-key-changed" role="alert">
      <div className={classes.refused}>
        <IconShieldX size={26} stroke={1.5} aria-hidden />
        <div>
          <strong>{details.jump ? 'The key of a jump host is not the one on file.' : 'The host key is not the one on file.'}</strong>
          <div className="es-wrap">{plainText(report.message, 600)}</div>
        </div>
      </div>
      <HostKeys details={details} />
      {report.hint ? <p className={classes.lead}>{plainText(report.hint, 600)}</p> : null}
      <p className={`${classes.lead} es-dim`}>
        If you set it up anew: read the fingerprint on the device itself, go back, and give it under Advanced.
      </p>
      <div className={classes.code}>{plainText(report.code, 60)}</div>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onBack} data-testid="host-key-back">
          Back
        </Button>
        <Button variant="default" onClick={onClose} ref={close}>
          Close
        </Button>
      </Group>
    </Stack>
  )
}
