import { Select } from '@mantine/core'
import { useCall } from '../backend/use-call.ts'
import { plainText } from '../format/plain-text.ts'
import { deviceLabel } from '../text/device-label.ts'

interface DeviceSelectProps {
  readonly value: string
  readonly onChange: (deviceId: string) => void
  readonly testId?: string
}

/** Chooses the machine something runs on. */
export function DeviceSelect({ value, onChange, testId }: DeviceSelectProps) {
  const { data: devices } = useCall('devices.list', {})
  const chosen = devices?.find(({ id }) => id === value)
  const board = chosen?.report ? (chosen.report.board ?? chosen.report.cpu) : null
  return (
    <Select
      label="Device"
      description={board ? plainText(board, 80) : 'Where it runs'}
      data={(devices ?? []).map((device) => ({ value: device.id, label: deviceLabel(device) }))}
      value={chosen ? value : null}
      onChange={(id) => {
        if (id !== null) onChange(id)
      }}
      allowDeselect={false}
      data-testid={testId}
    />
  )
}
