import { Select } from '@mantine/core'
import { type Target, targetSchema } from '../../../contract/names.ts'
import { useCall } from '../../backend/use-call.ts'
import { deviceLabel } from '../../text/device-label.ts'
import { targetGuides } from '../../text/target-guide.ts'
import classes from './target-select.module.css'

interface TargetSelectProps {
  readonly value: Target | null
  readonly onChange: (target: Target) => void
}

/** The kind of processor the build is for, with the devices that have it. */
export function TargetSelect({ value, onChange }: TargetSelectProps) {
  const { data: workspace } = useCall('workspace.describe', {})
  const { data: devices } = useCall('devices.list', {})
  const current = value ?? workspace?.hostTarget ?? null
  const devicesOf = (target: string): string =>
    (devices ?? [])
      .filter(({ report }) => report?.target === target)
      .map(deviceLabel)
      .join(', ')
  return (
    <Select
      label="Target"
      description={
        current ? `${targetGuides[current].machines}. ${targetGuides[current].note}` : 'The kind of processor the build will run on'
      }
      data={targetSchema.options.map((target) => ({ value: target, label: targetGuides[target].title }))}
      value={current}
      onChange={(target) => {
        if (target) onChange(target as Target)
      }}
      allowDeselect={false}
      data-testid="optimize-target"
      renderOption={({ option }) => (
        <div className={classes.option}>
          <span>{option.label}</span>
          <span className={classes.note}>
            {targetGuides[option.value as Target].machines}
            {devicesOf(option.value) ? ` · yours: ${devicesOf(option.value)}` : ''}
          </span>
        </div>
      )}
    />
  )
}
