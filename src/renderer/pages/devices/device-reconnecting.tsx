import { Button } from '@mantine/core'
import { IconPlugConnectedX } from '@tabler/icons-react'
import type { DeviceLink } from '../../../contract/device-link.ts'
import { plainText } from '../../format/plain-text.ts'
import classes from './device-reconnecting.module.css'
import { NextAttempt } from './next-attempt.tsx'

interface DeviceReconnectingProps {
  readonly link: DeviceLink
  readonly pending: boolean
  readonly onTryNow: () => void
}

/** Says that the link broke, when it is tried again, and that running work is not lost. */
export function DeviceReconnecting({ link, pending, onTryNow }: DeviceReconnectingProps) {
  return (
    <section className={classes.banner} role="status" aria-label="Reconnecting" data-testid="device-reconnecting">
      <IconPlugConnectedX size={18} stroke={1.7} className={classes.icon} aria-hidden />
      <div className={classes.text}>
        <strong>The link broke.</strong> What runs on the device goes on; its results are fetched afterwards.
        {link.error ? <div className="es-dim es-wrap">{plainText(link.error.message, 300)}</div> : null}
        {/* Counted down every second: said once by the words before it. */}
        <div aria-hidden="true">
          <NextAttempt link={link} />
        </div>
      </div>
      <Button variant="default" onClick={onTryNow} loading={pending} data-testid="device-try-now">
        Try now
      </Button>
    </section>
  )
}
