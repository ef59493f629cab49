import { type Dispatch, type SetStateAction, useEffect, useState } from 'react'

const drafts = new Map<string, unknown>()

/** Like `useState`, but the value outlives its page: a half-filled form is still there after a look at another page. */
export function useDraft<T>(key: string, initial: () => T): [T, Dispatch<SetStateAction<T>>] {
  const [value, setValue] = useState<T>(() => (drafts.has(key) ? (drafts.get(key) as T) : initial()))
  useEffect(() => {
    drafts.set(key, value)
  }, [key, value])
  return [value, setValue]
}
