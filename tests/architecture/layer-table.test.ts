import { describe, expect, it } from 'vitest'
import { parseLayerTable } from './layer-table.ts'

const header = '| layer | holds | may import | packages |\n|---|---|---|---|\n'

describe('parseLayerTable', () => {
  it('reads names, imports, packages and the permission to use Node.js', () => {
    const text = `# House\n\n| tool | why |\n|---|---|\n| a | b |\n\n${header}| \`src/core\` | pure | nothing of ours | \`fflate\` |\n| \`src/engine/runtimes\` | ORT | core | node, \`onnxruntime-node\` |\n\nAfter.\n`
    expect(parseLayerTable(text)).toEqual([
      { name: 'core', mayImport: [], packages: ['fflate'], node: false },
      { name: 'engine/runtimes', mayImport: ['core'], packages: ['onnxruntime-node'], node: true },
    ])
  })

  it.each([
    ['no table', 'nothing here', 'expected one table with the columns layer | holds | may import | packages, found 0'],
    ['two tables', `${header}| src/a | x | none | node |\n\n${header}`, 'found 2'],
    ['no separator', '| layer | holds | may import | packages |\n| src/a | x | none | node |', 'no separator row'],
    ['no rows', header, 'has no rows'],
    ['a missing cell', `${header}| src/a | x | none |`, 'row "src/a" of the layer table has 3 cells, expected 4'],
    ['a name that is no folder', `${header}| core | x | none | node |`, '"core" in the layer table is not of the form src/folder'],
    ['a layer twice', `${header}| src/a | x | none | node |\n| src/a | x | none | node |`, 'src/a is in the layer table twice'],
    ['an unknown layer', `${header}| src/a | x | b | node |`, 'src/a may import "b", which is no layer'],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseLayerTable(text)).toThrow(message)
  })
})
