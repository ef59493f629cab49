import { Button } from '@mantine/core'
import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { Device } from '../../../contract/device.ts'
import type { DeviceLink } from '../../../contract/device-link.ts'
import { plainText } from '../../format/plain-text.ts'
import { hostKeyDetails } from './host-key-details.ts'
import { HostKeys } from './host-keys.tsx'
import classes from './review-panel.module.css'
import { reviewSteps } from './review-steps.ts'

interface ReviewPanelProps {
  readonly device: Device
  readonly link: DeviceLink | undefined
  readonly pending: boolean
  readonly onTryAgain: () => void
  readonly onProbe: () => void
  readonly probing: boolean
  readonly onAddAgain: () => void
  readonly onShowLog: () => void
}

/** What keeps a device from being used: the error of its connection or the checks it failed, and what can be done. Nothing when all is well. */
export function ReviewPanel(props: ReviewPanelProps) {
  const { device, link, pending, onTryAgain, onProbe, probing, onAddAgain, onShowLog } = props
  const showLog = (
    <Button variant="default" onClick={onShowLog} data-testid="review-log">
      View log
    </Button>
  )
  if (link?.state === 'failed' && link.error) {
    const { code, message, hint, details } = link.error
    const { advice, addAgain } = reviewSteps(code)
    const keys = code === 'HOST_KEY_CHANGED' || code === 'HOST_KEY_MISMATCH' ? hostKeyDetails({ details }) : null
    return (
      <Panel
        title={device.connection ? 'The device cannot be used right now' : 'This computer cannot be used right now'}
        code={code}
        actions={
          <>
            <Button onClick={onTryAgain} loading={pending} data-testid="review-try-again">
              Try again
            </Button>
            {addAgain && device.connection ? (
              <Button variant="default" onClick={onAddAgain} data-testid="review-add-again">
                Remove and add again…
              </Button>
            ) : null}
            {showLog}
          </>
        }
      >
        <p className="es-wrap">{plainText(message, 1000)}</p>
        {keys ? <HostKeys details={keys} /> : null}
        {/* The hint of a host key is written for the command line. */}
        <p className="es-wrap">{hint && keys === null ? plainText(hint, 1000) : advice}</p>
      </Panel>
    )
  }
  const failed = device.report?.fits === false ? device.report.checks.filter(({ ok }) => !ok) : []
  const [first] = failed
  if (!first) return null
  return (
    <Panel
      title="The agent cannot run on this device"
      code={first.code ?? 'DEVICE_UNSUPPORTED'}
      actions={
        <>
          <Button onClick={onProbe} loading={probing} data-testid="review-probe">
            Probe again
          </Button>
          {showLog}
        </>
      }
    >
      <ul className={classes.checks}>
        {failed.map(({ name, found, needed }) => (
          <li key={name}>
            <IconCircleX size={15} stroke={1.8} aria-label="failed" />
            <span className="es-wrap">
              <strong>{plainText(name, 80)}</strong>: found {plainText(found, 200)}, needed {plainText(needed, 200)}
            </span>
          </li>
        ))}
      </ul>
      <p className="es-dim">Nothing was sent to the device. {reviewSteps(first.code ?? 'DEVICE_UNSUPPORTED').advice}</p>
    </Panel>
  )
}

interface PanelProps {
  readonly title: string
  readonly code: string
  readonly children: ReactNode
  readonly actions: ReactNode
}

function Panel({ title, code, children, actions }: PanelProps) {
  return (
    <section className={classes.panel} aria-label="Review" role="alert" data-testid="device-review" data-code={code}>
      <IconAlertTriangle size={18} stroke={1.7} className={classes.icon} aria-hidden />
      <div className={classes.text}>
        <h3 className={classes.title}>{title}</h3>
        {children}
        <div className={classes.code}>{plainText(code, 60)}</div>
        <div className={classes.actions}>{actions}</div>
      </div>
    </section>
  )
}
