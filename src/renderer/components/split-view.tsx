import { Splitter } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import type { ReactNode } from 'react'
import classes from './split-view.module.css'

interface SplitViewProps {
  /** Under this name the position of the divider is kept. */
  readonly name: string
  readonly list: ReactNode
  readonly detail: ReactNode
  /** Width of the list at first: percent, or pixels with their unit. */
  readonly listSize: number | `${number}px`
}

/** A list beside the details of its selected entry, with a divider that can be moved (mouse, arrow keys). */
export function SplitView({ name, list, detail, listSize }: SplitViewProps) {
  const detailSize = typeof listSize === 'number' ? 100 - listSize : 100
  const [sizes, setSizes] = useLocalStorage<(number | string)[]>({
    key: `edgesmith.split.${name}`,
    defaultValue: [listSize, detailSize],
    getInitialValueInEffect: false,
  })
  return (
    <Splitter
      className={classes.split}
      classNames={{ handle: classes.handle }}
      sizes={sizes as (number | `${number}%`)[]}
      onSizeChange={setSizes}
      withHandle={false}
      lineSize={1}
      handleColor="var(--es-border)"
    >
      <Splitter.Pane defaultSize={listSize} min={typeof listSize === 'number' ? 20 : '180px'} className={classes.list}>
        {list}
      </Splitter.Pane>
      <Splitter.Pane defaultSize={detailSize} min={30} className={classes.detail}>
        {detail}
      </Splitter.Pane>
    </Splitter>
  )
}
