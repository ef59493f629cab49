import { IconAlertTriangle, IconCpu, IconDeviceDesktop } from '@tabler/icons-react'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useDeviceLink } from '../../backend/use-device-links.ts'
import { StateDot } from '../../components/state-dot.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { deviceLabel } from '../../text/device-label.ts'
import { targetGuides } from '../../text/target-guide.ts'
import { connectionText } from './connection-text.ts'
import { DeviceCardTelemetry } from './device-card-telemetry.tsx'
import classes from './device-cards.module.css'
import { NextAttempt } from './next-attempt.tsx'
import { useDeviceState } from './use-device-state.ts'

interface DeviceCardProps {
  readonly device: Device
  readonly selected: boolean
  readonly onSelect: () => void
}

/** A device at a glance: where it is, how the connection is, what it is, and how it does right now. */
export function DeviceCard({ device, selected, onSelect }: DeviceCardProps) {
  const state = useDeviceState(device)
  const link = useDeviceLink(device.id)
  const { report, connection } = device
  const Icon = device.id === LOCAL_DEVICE_ID ? IconDeviceDesktop : IconCpu
  return (
    <article
      className={classes.card}
      data-selected={selected || undefined}
      data-testid={`device-card-${device.name}`}
      data-state={state.text}
      aria-label={deviceLabel(device)}
    >
      <Icon size={22} stroke={1.4} className={classes.icon} aria-hidden />
      <div className={classes.text}>
        <div className={classes.line}>
          {/* Its click area is the whole card. */}
          <button type="button" className={classes.name} onClick={onSelect} aria-pressed={selected}>
            {deviceLabel(device)}
          </button>
          <StateDot condition={state.condition}>{state.text}</StateDot>
        </div>
        <div className="es-dim es-ellipsis">
          {connection ? connectionText(connection) : report ? plainText(report.machine, 80) : 'always available'}
        </div>
        {report ? (
          <div className={classes.facts}>
            <span className="es-ellipsis">{plainText(report.board ?? report.cpu, 60)}</span>
            <span>{formatCounted(report.cores, 'core')}</span>
            <span>{formatBytes(report.memoryBytes)}</span>
            {report.target ? <span>{targetGuides[report.target].title}</span> : null}
          </div>
        ) : null}
        {link?.state === 'reconnecting' ? (
          <div className={classes.warning}>
            <NextAttempt link={link} />
          </div>
        ) : null}
        {state.needsReview ? (
          <div className={classes.review}>
            <IconAlertTriangle size={14} stroke={1.8} aria-hidden />
            <span className={classes.problem}>{state.detail}</span>
            <span className={classes.reviewWord}>Review</span>
          </div>
        ) : null}
        <DeviceCardTelemetry deviceId={device.id} />
      </div>
    </article>
  )
}
