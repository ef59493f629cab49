/** One row of the layer table in ARCHITECTURE.md. */
export interface Layer {
  /** Folder below `src`, for example `engine/runtimes`. */
  readonly name: string
  /** Names of other layers its files may import; a sub-layer such as `engine/runtimes` must be named itself. */
  readonly mayImport: readonly string[]
  /** npm packages it may import; `@scope/*` stands for every package of the scope. */
  readonly packages: readonly string[]
  /** Whether it may import Node.js built-in modules. */
  readonly node: boolean
}

const columns = ['layer', 'holds', 'may import', 'packages'] as const

/**
 * Reads the layer table out of a Markdown document: the one table whose header row is `layer | holds | may import | packages`.
 * Cells may be set in backticks. "nothing" (with any words after it) stands for an empty list; `node` among the packages allows built-ins.
 *
 * @throws Error when there is not exactly one such table, or a row is malformed, named twice or names an unknown layer
 */
export function parseLayerTable(markdown: string): readonly Layer[] {
  const lines = markdown.split(/\r?\n/)
  const headers = lines.flatMap((line, index) => (sameCells(tableCells(line), columns) ? [index] : []))
  if (headers.length !== 1) throw new Error(`expected one table with the columns ${columns.join(' | ')}, found ${headers.length}`)
  const start = (headers[0] as number) + 1
  if (!/^\|[\s:|-]+\|$/.test((lines[start] ?? '').trim())) throw new Error('the layer table has no separator row under its header')

  const layers: Layer[] = []
  for (let index = start + 1; (lines[index] ?? '').trim().startsWith('|'); index++) {
    const cells = tableCells(lines[index] as string)
    if (cells.length !== columns.length)
      throw new Error(`row "${cells[0]}" of the layer table has ${cells.length} cells, expected ${columns.length}`)
    const [layer, , mayImport, packages] = cells as [string, string, string, string]
    const name = /^src\/([a-z]+(?:\/[a-z]+)*)$/.exec(layer)?.[1]
    if (!name) throw new Error(`"${layer}" in the layer table is not of the form src/folder`)
    if (layers.some((other) => other.name === name)) throw new Error(`src/${name} is in the layer table twice`)
    const allowed = listCell(packages)
    layers.push({
      name,
      mayImport: listCell(mayImport),
      packages: allowed.filter((entry) => entry !== 'node'),
      node: allowed.includes('node'),
    })
  }
  if (layers.length === 0) throw new Error('the layer table has no rows')
  for (const layer of layers) {
    for (const imported of layer.mayImport) {
      if (!layers.some((other) => other.name === imported)) throw new Error(`src/${layer.name} may import "${imported}", which is no layer`)
    }
  }
  return layers
}

/** Cells of a table row without backticks; an empty list when the line is no table row. */
function tableCells(line: string): readonly string[] {
  const text = line.trim()
  if (!text.startsWith('|') || !text.endsWith('|')) return []
  return text
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.replaceAll('`', '').trim())
}

function sameCells(cells: readonly string[], expected: readonly string[]): boolean {
  return cells.length === expected.length && cells.every((cell, index) => cell.toLowerCase() === expected[index])
}

function listCell(cell: string): readonly string[] {
  if (/^(nothing\b|none\b|—|-)/i.test(cell)) return []
  return cell
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}
