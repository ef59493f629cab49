import { NumberInput, Select, Switch, TagsInput, TextInput } from '@mantine/core'
import { RecordInput } from './record-input.tsx'
import type { SettingField } from './setting-fields.ts'
import classes from './setting-input.module.css'

interface SettingInputProps {
  readonly field: SettingField
  readonly value: unknown
  readonly error: string | undefined
  readonly onChange: (value: unknown) => void
}

/** The control for one setting. */
export function SettingInput({ field, value, error, onChange }: SettingInputProps) {
  const current = value ?? field.defaultValue
  const common = { label: field.label, description: field.description ?? undefined, error }
  switch (field.kind) {
    case 'switch':
      return <Switch {...common} checked={current === true} onChange={(event) => onChange(event.currentTarget.checked)} />
    case 'choice':
      return (
        <Select
          {...common}
          data={[...field.options]}
          value={String(current)}
          onChange={(next) => onChange(next ?? field.defaultValue)}
          allowDeselect={false}
          readOnly={field.options.length === 1}
        />
      )
    case 'number-choice':
      return (
        <Select
          {...common}
          data={field.options.map(String)}
          value={String(current)}
          onChange={(next) => onChange(next === null ? field.defaultValue : Number(next))}
          allowDeselect={false}
        />
      )
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof current === 'number' ? current : ''}
          onChange={(next) => onChange(next === '' ? undefined : Number(next))}
          allowDecimal={!field.integer}
          step={field.integer ? 1 : 0.05}
          min={field.min ?? undefined}
          max={field.max ?? undefined}
          clampBehavior="none"
        />
      )
    case 'names':
      return (
        <TagsInput
          className={classes.wide}
          {...common}
          value={Array.isArray(current) ? current.map(String) : []}
          onChange={onChange}
          placeholder="Type a name, Enter adds it"
          splitChars={[',']}
        />
      )
    case 'record':
      return <RecordInput {...common} value={current} onChange={onChange} />
    case 'text':
      return <TextInput {...common} value={String(current ?? '')} onChange={(event) => onChange(event.currentTarget.value)} />
  }
}
