import { readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type ForbiddenReach, findBreaches, type SourceFile } from './layer-check.ts'
import { parseLayerTable } from './layer-table.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const layers = parseLayerTable(readFileSync(`${root}ARCHITECTURE.md`, 'utf8'))

/** Packages with native code: none may ever be loaded by Electron's own processes. */
const nativePackages = ['onnxruntime-node', 'better-sqlite3', 'ssh2', 'sharp']

/** Chains the table alone cannot see, because each link of them is allowed. */
const forbidden: readonly ForbiddenReach[] = [
  { layer: 'main', packages: nativePackages },
  { layer: 'preload', packages: nativePackages },
  // A model that crashes ONNX Runtime must take down an engine process, never the backend or the command line.
  { layer: 'backend', packages: ['onnxruntime-node'] },
  { layer: 'cli', packages: ['onnxruntime-node'] },
  // The agent is sent to boards: one small file, and of native code only ONNX Runtime.
  { layer: 'agent', packages: ['better-sqlite3', 'ssh2', 'electron'] },
]

const computedImports = [
  // Set-up's checks are a script of the clone; the packaged app does not have it.
  'src/backend/use-cases/doctor.ts',
]

function sourceFiles(): SourceFile[] {
  return readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => statSync(root + path).isFile() && !path.endsWith('/tsconfig.json'))
    .map((path) => ({ path, text: readFileSync(root + path, 'utf8') }))
}

describe('the layer table of ARCHITECTURE.md', () => {
  it('is kept by every file under src', () => {
    const files = sourceFiles()
    expect(files.length).toBeGreaterThan(100)
    expect(findBreaches(files, layers, { forbidden, computedImports })).toEqual([])
  })

  it.each([
    ['another layer', 'src/renderer/extra.ts', "import '../storage/database.ts'"],
    ['a package of another layer', 'src/engine/extra.ts', "import 'onnxruntime-node'"],
    ['Electron outside the shell', 'src/backend/extra.ts', "import type { App } from 'electron'"],
    ['Node.js in the page', 'src/renderer/extra.ts', "import 'node:fs'"],
    ['the clock in core', 'src/core/extra.ts', 'export const now = Date.now()'],
    ['native code reached through others', 'src/backend/extra.ts', "import '../engine/engine-entry.ts'"],
  ])('fails on one more file with a breach: %s', (_name, path, text) => {
    expect(findBreaches([...sourceFiles(), { path, text }], layers, { forbidden, computedImports })).toHaveLength(1)
  })

  it('has a row for every folder under src, and a folder for every row', () => {
    const folders = readdirSync(`${root}src`, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    const rows = layers.map(({ name }) => name)
    expect(rows.filter((name) => !name.includes('/')).sort()).toEqual(folders.sort())
    for (const name of rows) expect(statSync(`${root}src/${name}`).isDirectory()).toBe(true)
  })

  it('allows only packages that package.json installs for users, and no package with a binding in two layers', () => {
    const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { dependencies: Record<string, string> }
    for (const { packages } of layers) {
      for (const name of packages) {
        const installed = Object.keys(dependencies).filter((known) =>
          name.endsWith('/*') ? known.startsWith(name.slice(0, -1)) : known === name,
        )
        // Electron is the shell itself: it comes with the packaged app, not through its dependencies.
        expect(name === 'electron' || installed.length > 0, name).toBe(true)
      }
    }
    for (const native of nativePackages) {
      expect(layers.filter(({ packages }) => packages.includes(native)).length, native).toBeLessThanOrEqual(1)
    }
  })
})
