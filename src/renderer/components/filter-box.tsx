import { CloseButton, TextInput } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { useRef } from 'react'

interface FilterBoxProps {
  readonly value: string
  readonly onChange: (value: string) => void
  readonly label: string
  /** Focused by "/" when true. */
  readonly hotkey?: boolean
}

/** A filter for a table: Escape clears it, "/" goes to it. */
export function FilterBox({ value, onChange, label, hotkey = false }: FilterBoxProps) {
  const input = useRef<HTMLInputElement>(null)
  useHotkeys(hotkey ? [['/', () => input.current?.focus()]] : [])
  return (
    <TextInput
      ref={input}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onChange('')
      }}
      placeholder={hotkey ? `${label}  ( / )` : label}
      aria-label={label}
      leftSection={<IconSearch size={14} aria-hidden />}
      rightSection={value ? <CloseButton size="xs" aria-label="Clear the filter" onClick={() => onChange('')} /> : null}
      w={230}
      miw={120}
    />
  )
}
