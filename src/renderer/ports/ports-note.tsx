import { Popover } from '@mantine/core'
import { IconPlugConnected } from '@tabler/icons-react'
import { useCall } from '../backend/use-call.ts'
import { formatCounted } from '../format/numbers.ts'
import { deviceLabel } from '../text/device-label.ts'
import { PortTable } from './port-table.tsx'
import classes from './ports-note.module.css'

/** In the bar at the bottom: how many ports lead to devices, and which when it is opened. Nothing when there are none. */
export function PortsNote() {
  const { data: forwards } = useCall('devices.forwards', {})
  const { data: devices } = useCall('devices.list', {})
  if (!forwards || forwards.length === 0) return null
  const names = new Map((devices ?? []).map((device) => [device.id as string, deviceLabel(device)]))
  return (
    <Popover position="top-end" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <button type="button" className={classes.note} data-testid="ports-note">
          <IconPlugConnected size={14} stroke={1.6} aria-hidden />
          {formatCounted(forwards.length, 'port')}
        </button>
      </Popover.Target>
      <Popover.Dropdown p={0} data-testid="ports-list">
        <PortTable forwards={forwards} deviceNames={names} />
      </Popover.Dropdown>
    </Popover>
  )
}
