import { type RefObject, useEffect, useRef } from 'react'

/** A ref whose element is scrolled to its top when it appears: the pane it stands in keeps where the one before was scrolled to. */
export function useTopOnMount<T extends HTMLElement>(): RefObject<T | null> {
  const element = useRef<T>(null)
  useEffect(() => element.current?.scrollIntoView({ block: 'start' }), [])
  return element
}
