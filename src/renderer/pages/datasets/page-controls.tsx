import { ActionIcon, NumberInput } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconChevronsLeft, IconChevronsRight } from '@tabler/icons-react'
import { useState } from 'react'
import { formatCount } from '../../format/numbers.ts'
import classes from './page-controls.module.css'

interface PageControlsProps {
  /** From 0. */
  readonly page: number
  readonly pageSize: number
  readonly total: number
  readonly onPage: (page: number) => void
}

/** Which part of a long list is shown; goes to another, or to the one that holds a place in the list. */
export function PageControls({ page, pageSize, total, onPage }: PageControlsProps) {
  const [place, setPlace] = useState<number | string>('')
  const last = Math.max(0, Math.ceil(total / pageSize) - 1)
  const from = total === 0 ? 0 : page * pageSize + 1
  const to = Math.min(total, (page + 1) * pageSize)
  return (
    <nav className={classes.controls} aria-label="Pages of samples">
      <Step label="First page" Icon={IconChevronsLeft} disabled={page === 0} onClick={() => onPage(0)} />
      <Step label="Previous page" Icon={IconChevronLeft} disabled={page === 0} onClick={() => onPage(page - 1)} />
      <span className={`${classes.range} es-num`} role="status" data-testid="page-range">
        {formatCount(from)}–{formatCount(to)} of {formatCount(total)}
      </span>
      <Step label="Next page" Icon={IconChevronRight} disabled={page >= last} onClick={() => onPage(page + 1)} />
      <Step label="Last page" Icon={IconChevronsRight} disabled={page >= last} onClick={() => onPage(last)} />
      {last > 0 ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            if (typeof place === 'number') onPage(Math.min(last, Math.max(0, Math.floor((place - 1) / pageSize))))
          }}
        >
          <NumberInput
            aria-label="Go to the page with this place in the list"
            placeholder="Go to…"
            value={place}
            onChange={setPlace}
            min={1}
            max={total}
            allowDecimal={false}
            hideControls
            w={90}
          />
        </form>
      ) : null}
    </nav>
  )
}

interface StepProps {
  readonly label: string
  readonly Icon: typeof IconChevronLeft
  readonly disabled: boolean
  readonly onClick: () => void
}

function Step({ label, Icon, disabled, onClick }: StepProps) {
  return (
    <ActionIcon variant="default" size={26} aria-label={label} disabled={disabled} onClick={onClick}>
      <Icon size={14} />
    </ActionIcon>
  )
}
