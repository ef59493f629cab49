import { type ReactNode, useEffect, useRef, useState } from 'react'
import classes from './scroll-box.module.css'

interface ScrollBoxProps {
  /** What it holds, for screen readers. */
  readonly label: string
  readonly children: ReactNode
}

/** Content that may be wider than its place. Where it is, the box can be reached by keyboard, so that arrow keys scroll it. */
export function ScrollBox({ label, children }: ScrollBoxProps) {
  const box = useRef<HTMLDivElement>(null)
  const [scrolls, setScrolls] = useState(false)
  useEffect(() => {
    const element = box.current
    const content = element?.firstElementChild
    if (!element || !content) return
    const observer = new ResizeObserver(() =>
      setScrolls(element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight),
    )
    observer.observe(element)
    observer.observe(content)
    return () => observer.disconnect()
  }, [])
  return (
    <div className={classes.box} ref={box} {...(scrolls ? { role: 'group', 'aria-label': label, tabIndex: 0 } : {})}>
      <div className={classes.content}>{children}</div>
    </div>
  )
}
