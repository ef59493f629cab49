import { useState } from 'react'
import { type History, redone, stepped, undone } from './history.ts'

/** A value that can be taken back step by step. */
export interface UseHistory<T> {
  readonly value: T
  /** Changes of one `group` that follow each other are one step: typing a number is not undone digit by digit. */
  readonly set: (value: T, group: string) => void
  readonly undo: (() => void) | null
  readonly redo: (() => void) | null
}

/** Like `useState`, with undo and redo; both are null where there is nothing to do. */
export function useHistory<T>(initial: () => T): UseHistory<T> {
  const [history, setHistory] = useState<History<T>>(() => ({ past: [], present: initial(), future: [], group: null }))
  return {
    value: history.present,
    set: (value, group) => setHistory((before) => stepped(before, value, group)),
    undo: history.past.length > 0 ? () => setHistory(undone) : null,
    redo: history.future.length > 0 ? () => setHistory(redone) : null,
  }
}
