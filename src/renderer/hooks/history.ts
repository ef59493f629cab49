/** A value with what it was before, and what was taken back. */
export interface History<T> {
  readonly past: readonly T[]
  readonly present: T
  readonly future: readonly T[]
  /** What the last change belongs to; null after undo and redo, so that the next change is a step of its own. */
  readonly group: string | null
}

/** Steps that are kept: more than anyone takes back. */
const MAX_STEPS = 200

/** After a change. One that belongs to the same group as the last takes its place. */
export function stepped<T>({ past, present, group }: History<T>, value: T, changed: string): History<T> {
  return { past: group === changed ? past : [...past, present].slice(-MAX_STEPS), present: value, future: [], group: changed }
}

/** One step back; the same where there is none. */
export function undone<T>(history: History<T>): History<T> {
  const before = history.past.at(-1)
  if (before === undefined) return history
  return { past: history.past.slice(0, -1), present: before, future: [history.present, ...history.future], group: null }
}

/** One step forward again; the same where there is none. */
export function redone<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future
  if (next === undefined) return history
  return { past: [...history.past, history.present], present: next, future, group: null }
}
