import { Textarea } from '@mantine/core'
import { useState } from 'react'
import { recordText, recordValue } from './record-text.ts'
import classes from './setting-input.module.css'

interface RecordInputProps {
  readonly label: string
  readonly description: string | undefined
  readonly error: string | undefined
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

/** Values by name as JSON. What is typed stays as it is typed; text that is no JSON is passed on for the schema to refuse. */
export function RecordInput({ value, onChange, ...common }: RecordInputProps) {
  const [text, setText] = useState(() => recordText(value))
  return (
    <Textarea
      {...common}
      className={classes.wide}
      classNames={{ input: 'es-mono' }}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        onChange(recordValue(event.currentTarget.value))
      }}
      placeholder={'{"name": …}'}
      autosize
      minRows={1}
      maxRows={6}
    />
  )
}
