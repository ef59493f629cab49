import { createContext } from 'react'
import type { GraphColoring } from './graph-look.ts'

/** What the nodes of a graph look like. Apart from the nodes themselves, so that a change does not make ten thousand new ones. */
export const GraphLookContext = createContext<{
  readonly coloring: GraphColoring
  readonly slowestMs: number
  readonly selected: string | null
}>({ coloring: 'time', slowestMs: 0, selected: null })
