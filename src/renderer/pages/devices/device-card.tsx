import { IconCpu, IconDeviceDesktop } from '@tabler/icons-react'
import { type Device, LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { useCall } from '../../backend/use-call.ts'
import { StateDot } from '../../components/state-dot.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { deviceLabel } from '../../text/device-label.ts'
import { targetGuides } from '../../text/target-guide.ts'
import classes from './device-cards.module.css'
import { deviceState } from './device-state.ts'
import { formatSshAddress } from './ssh-address.ts'
import { useDeviceActivity } from './use-device-activity.ts'

interface DeviceCardProps {
  readonly device: Device
  readonly selected: boolean
  readonly onSelect: () => void
}

/** A device at a glance. */
export function DeviceCard({ device, selected, onSelect }: DeviceCardProps) {
  const { data: workspace } = useCall('workspace.describe', {})
  const activity = useDeviceActivity(device.id)
  const state = deviceState(device, activity, workspace?.version)
  const { report, connection } = device
  const Icon = device.id === LOCAL_DEVICE_ID ? IconDeviceDesktop : IconCpu
  return (
    <button
      type="button"
      className={classes.card}
      onClick={onSelect}
      aria-pressed={selected}
      data-testid={`device-card-${device.name}`}
      data-state={state.text}
    >
      <Icon size={22} stroke={1.4} className={classes.icon} aria-hidden />
      <span className={classes.text}>
        <span className={classes.line}>
          <span className={`${classes.name} es-ellipsis`}>{deviceLabel(device)}</span>
          <StateDot condition={state.condition}>{state.text}</StateDot>
        </span>
        <span className="es-dim es-ellipsis">
          {connection ? plainText(formatSshAddress(connection), 120) : report ? plainText(report.machine, 80) : 'always available'}
        </span>
        {report ? (
          <span className={classes.facts}>
            <span className="es-ellipsis">{plainText(report.board ?? report.cpu, 60)}</span>
            <span>{formatCounted(report.cores, 'core')}</span>
            <span>{formatBytes(report.memoryBytes)}</span>
            {report.temperatureC === null ? null : <span>{report.temperatureC.toFixed(0)} °C</span>}
            {report.target ? <span>{targetGuides[report.target].title}</span> : null}
          </span>
        ) : null}
      </span>
    </button>
  )
}
