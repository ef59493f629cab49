import { Select } from '@mantine/core'
import { useCall } from '../backend/use-call.ts'
import { useDeviceLinks } from '../backend/use-device-links.ts'
import { plainText } from '../format/plain-text.ts'
import { deviceLabel } from '../text/device-label.ts'
import { linkText } from '../text/link-text.ts'
import { targetGuides } from '../text/target-guide.ts'
import classes from './device-select.module.css'
import { StateDot } from './state-dot.tsx'

interface DeviceSelectProps {
  readonly value: string
  readonly onChange: (deviceId: string) => void
  readonly testId?: string
}

/** Chooses the machine something runs on; each with the state of its connection and the builds that fit it. */
export function DeviceSelect({ value, onChange, testId }: DeviceSelectProps) {
  const { data: devices } = useCall('devices.list', {})
  const { data: links } = useDeviceLinks()
  const byId = new Map((devices ?? []).map((device) => [device.id as string, device]))
  const chosen = byId.get(value)
  const stateOf = (deviceId: string) =>
    linkText(
      byId.get(deviceId),
      links?.find((link) => link.deviceId === deviceId),
    )
  const targetOf = (deviceId: string) => {
    const target = byId.get(deviceId)?.report?.target
    return target ? targetGuides[target].title : null
  }
  const board = chosen?.report ? (chosen.report.board ?? chosen.report.cpu) : null
  const about = chosen ? [board === null ? null : plainText(board, 60), targetOf(value), stateOf(value).text].filter(Boolean) : []
  return (
    <Select
      label="Device"
      description={about.length > 0 ? about.join(' · ') : 'Where it runs'}
      data={(devices ?? []).map((device) => ({
        value: device.id,
        label: deviceLabel(device),
        disabled: device.report?.fits === false,
      }))}
      value={chosen ? value : null}
      onChange={(id) => {
        if (id !== null) onChange(id)
      }}
      allowDeselect={false}
      renderOption={({ option }) => {
        const { condition, text } = stateOf(option.value)
        return (
          <span className={classes.option}>
            <span className="es-ellipsis">{option.label}</span>
            <span className={`${classes.about} es-dim`}>
              {targetOf(option.value)}
              <StateDot condition={condition}>{text}</StateDot>
            </span>
          </span>
        )
      }}
      data-testid={testId}
    />
  )
}
