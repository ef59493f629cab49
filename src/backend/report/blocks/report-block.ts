import type { Markup } from './html.ts'

/** How a verdict is coloured. */
export type Tone = 'good' | 'bad' | 'neutral'

/** Text inside a block. Strings are shown as they are, whatever they hold; lists are joined. */
export type Inline =
  | string
  | { readonly kind: 'chip'; readonly text: string; readonly tone: Tone }
  /** The number and colour a model has in all charts and tables of its comparison; counted from 0. */
  | { readonly kind: 'badge'; readonly series: number }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'line-break' }
  | readonly Inline[]

/** A column; numbers are set to the right. */
export interface Column {
  readonly title: Inline
  readonly align?: 'right'
}

/** A row, or a title over the rows that follow. */
export type TableRow = readonly Inline[] | { readonly group: string }

/** A part of a report that every format can write: the sections make these, the formats draw them. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly text: Inline }
  | { readonly kind: 'text'; readonly text: Inline; readonly tone?: 'headline' | 'soft' | 'warning' }
  | { readonly kind: 'list'; readonly items: readonly Inline[]; readonly ordered?: boolean; readonly tone?: 'warning' }
  /** `results`: the first column names the row and stays readable beside many columns. */
  | { readonly kind: 'table'; readonly columns: readonly Column[]; readonly rows: readonly TableRow[]; readonly look?: 'results' }
  /** Names and values without a head line. */
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [string, Inline])[] }
  | { readonly kind: 'terms'; readonly rows: readonly (readonly [string, string])[] }
  /**
   * A drawing under an optional heading (level 3); `numbers` stands in for it where there are no drawings, unless a table nearby holds
   * them already (null): then heading and all are left out.
   */
  | {
      readonly kind: 'figure'
      readonly title?: string
      readonly drawing: Markup
      readonly caption?: string
      readonly numbers: Block | null
    }
  /** Closed at first, where a format can. */
  | { readonly kind: 'folded'; readonly title: string; readonly blocks: readonly Block[] }
  /** Kept on one page where that is possible. */
  | { readonly kind: 'together'; readonly blocks: readonly Block[] }

/** Items of a list that are shown; nobody reads more warnings. */
const MAX_ITEMS = 100

export function heading(level: 2 | 3 | 4, text: Inline): Block {
  return { kind: 'heading', level, text }
}

export function text(content: Inline, tone?: 'headline' | 'soft' | 'warning'): Block {
  return { kind: 'text', text: content, ...(tone && { tone }) }
}

/** A list, of which at most {@link MAX_ITEMS} are shown. */
export function list(items: readonly Inline[], form: { readonly tone?: 'warning'; readonly ordered?: boolean } = {}): Block {
  const left = items.length - MAX_ITEMS
  return { kind: 'list', items: left > 0 ? [...items.slice(0, MAX_ITEMS), `… and ${left} more`] : items, ...form }
}

export function facts(rows: readonly (readonly [string, Inline])[]): Block {
  return { kind: 'facts', rows }
}

export function figure(drawing: Markup, numbers: Block | null, words: { readonly title?: string; readonly caption?: string } = {}): Block {
  return { kind: 'figure', drawing, numbers, ...words }
}

export function folded(title: string, blocks: readonly Block[]): Block {
  return { kind: 'folded', title, blocks }
}

/** A table; titles that start with `>` are of columns set to the right. */
export function table(titles: readonly string[], rows: readonly TableRow[]): Block {
  return {
    kind: 'table',
    columns: titles.map((title) => (title.startsWith('>') ? { title: title.slice(1), align: 'right' } : { title })),
    rows,
  }
}

/** The first rows of a table, and how many were left out. */
export function cutTable(titles: readonly string[], rows: readonly TableRow[], limit: number): Block[] {
  const left = rows.length - limit
  const cut = table(titles, rows.slice(0, limit))
  return left > 0 ? [cut, text(`… and ${left.toLocaleString('en-US')} more; the report as JSON has them all.`, 'soft')] : [cut]
}

export function badge(series: number): Inline {
  return { kind: 'badge', series }
}

/** Green for what is wanted, red for what is not. */
export function chip(content: string, tone: Tone): Inline {
  return { kind: 'chip', text: content, tone }
}

export function code(content: string): Inline {
  return { kind: 'code', text: content }
}

export function strong(content: string): Inline {
  return { kind: 'strong', text: content }
}
