import { type KeyboardEvent, type RefObject, useRef } from 'react'

interface RowKeys {
  readonly body: RefObject<HTMLTableSectionElement | null>
  readonly onKeyDown: (event: KeyboardEvent) => void
}

/** Arrow keys, Home and End move selection and focus through the rows of a table body; rows carry `data-key`. */
export function useRowKeys(keys: readonly string[], onSelect: (key: string) => void): RowKeys {
  const body = useRef<HTMLTableSectionElement>(null)
  function onKeyDown(event: KeyboardEvent): void {
    const row = (event.target as HTMLElement).closest('tr')
    // Keys inside a control of a row belong to the control.
    if (!row || event.target !== row) return
    const index = keys.indexOf(row.dataset.key ?? '')
    const next = nextIndex(event.key, index, keys.length)
    const key = next === undefined ? undefined : keys[next]
    if (key === undefined) return
    event.preventDefault()
    onSelect(key)
    const target = Array.from(body.current?.rows ?? []).find(({ dataset }) => dataset.key === key)
    target?.focus()
    target?.scrollIntoView({ block: 'nearest' })
  }
  return { body, onKeyDown }
}

function nextIndex(key: string, index: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return Math.min(index + 1, count - 1)
    case 'ArrowUp':
      return Math.max(index - 1, 0)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    case 'Enter':
    case ' ':
      return index
    default:
      return undefined
  }
}
