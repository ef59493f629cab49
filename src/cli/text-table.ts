import { plainLine } from '../backend/report/plain-text.ts'

/** A column of a table; numbers stand right. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Rows under a header, aligned by display width. Every cell becomes one safe line. */
export function textTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map((_, index) => plainLine(row[index] ?? '')))]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => displayWidth(line[index] as string))))
  return lines
    .map((line) =>
      line
        .map((cell, index) => pad(cell, widths[index] as number, columns[index]?.align === 'right'))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Names and values below each other: `size    1.75 MB`. Rows without a value are left out. */
export function factList(facts: readonly (readonly [name: string, value: string | null | undefined])[]): string {
  const shown = facts.flatMap(([name, value]) => (value === null || value === undefined ? [] : [[name, plainLine(value)] as const]))
  const width = Math.max(0, ...shown.map(([name]) => displayWidth(name)))
  return shown.map(([name, value]) => `${pad(name, width, false)}  ${value}`.trimEnd()).join('\n')
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return right ? space + text : text + space
}

// East Asian wide and full-width forms and emoji take two columns (Unicode Standard Annex #11), combining marks none.
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}
