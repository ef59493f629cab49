import { Checkbox, Input } from '@mantine/core'
import type { ReactNode } from 'react'
import classes from './tick-list.module.css'

/** Something that can be ticked. */
interface Tickable {
  readonly id: string
  readonly label: string
  /** Small, at the right: size, state. */
  readonly note?: ReactNode
  readonly disabled?: boolean
}

interface TickListProps {
  readonly label: string
  readonly description?: string
  readonly entries: readonly Tickable[]
  readonly ticked: readonly string[]
  /** The ids in the order in which they were ticked. */
  readonly onTicked: (ids: readonly string[]) => void
  /** Ticked at most. */
  readonly limit: number
  readonly none: string
  readonly testId: string
}

/** A list of things of which several are chosen. */
export function TickList({ label, description, entries, ticked, onTicked, limit, none, testId }: TickListProps) {
  const toggle = (id: string, on: boolean) => onTicked(on ? [...ticked, id] : ticked.filter((other) => other !== id))
  return (
    <Input.Wrapper label={label} description={description} labelElement="div" size="xs">
      <ul className={classes.list} aria-label={label}>
        {entries.map(({ id, label: name, note, disabled }) => (
          <li key={id} className={classes.entry}>
            <Checkbox
              checked={ticked.includes(id)}
              disabled={!ticked.includes(id) && (disabled === true || ticked.length >= limit)}
              onChange={(event) => toggle(id, event.currentTarget.checked)}
              label={name}
              className={classes.name}
              data-testid={`${testId}-${name}`}
            />
            <span className="es-dim es-num">{note}</span>
          </li>
        ))}
        {entries.length === 0 ? <li className={classes.none}>{none}</li> : null}
      </ul>
    </Input.Wrapper>
  )
}
