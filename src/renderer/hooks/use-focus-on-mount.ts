import { type RefObject, useEffect, useRef } from 'react'

/** A ref whose element gets the focus when it appears: for steps that replace each other inside one dialog. */
export function useFocusOnMount<T extends HTMLElement>(): RefObject<T | null> {
  const element = useRef<T>(null)
  useEffect(() => element.current?.focus(), [])
  return element
}
