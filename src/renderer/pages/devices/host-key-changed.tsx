import { Button, Group, Stack } from '@mantine/core'
import { IconShieldX } from '@tabler/icons-react'
import type { ErrorReport } from '../../../contract/errors.ts'
import { plainText } from '../../format/plain-text.ts'
import { useFocusOnMount } from '../../hooks/use-focus-on-mount.ts'
import classes from './host-key.module.css'
import type { HostKeyDetails } from './host-key-details.ts'

interface HostKeyChangedProps {
  readonly report: ErrorReport
  readonly details: HostKeyDetails
  readonly onClose: () => void
}

/** A host that shows another key than before. There is no button to go on: that is the point. */
export function HostKeyChanged({ report, details, onClose }: HostKeyChangedProps) {
  const close = useFocusOnMount<HTMLButtonElement>()
  return (
    <Stack gap="sm" data-testid="host-key-changed" role="alert">
      <div className={classes.refused}>
        <IconShieldX size={26} stroke={1.5} aria-hidden />
        <div>
          <strong>The host key is not the one on file.</strong>
          <div className="es-wrap">{plainText(report.message, 600)}</div>
        </div>
      </div>
      <div>
        <div className="es-dim">On file</div>
        {details.knownFingerprints.length > 0 ? (
          details.knownFingerprints.map((fingerprint) => (
            <div key={fingerprint} className={classes.fingerprint}>
              {fingerprint}
            </div>
          ))
        ) : (
          <div className={classes.fingerprint}>a key that was revoked</div>
        )}
      </div>
      <div>
        <div className="es-dim">Shown now by {details.address}</div>
        <div className={`${classes.fingerprint} ${classes.wrong}`}>{details.fingerprint ?? 'unknown'}</div>
      </div>
      {report.hint ? <p className={classes.lead}>{plainText(report.hint, 600)}</p> : null}
      <div className={classes.code}>{plainText(report.code, 60)}</div>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} ref={close}>
          Close
        </Button>
      </Group>
    </Stack>
  )
}
