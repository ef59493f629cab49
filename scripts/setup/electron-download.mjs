// Run by electron-runtime.mjs on Node 22 (Electron's downloader needs it), as a process of its own so that a stalled connection can be
// ended from outside. Arguments: project root, an empty work folder. Reports over IPC: transferred and total bytes, then the folder.
import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [root = '', workFolder = ''] = process.argv.slice(2)
const electronManifest = join(root, 'node_modules', 'electron', 'package.json')
// Electron's own dependencies, not this project's.
const requireFromElectron = createRequire(electronManifest)
const report = (/** @type {object} */ message) => process.send?.(message)

try {
  const zip = await requireFromElectron('@electron/get').downloadArtifact({
    version: requireFromElectron(electronManifest).version,
    artifactName: 'electron',
    platform: process.platform,
    arch: process.arch,
    // The hashes that came with the npm package, which package-lock.json pins.
    checksums: requireFromElectron('./checksums.json'),
    cacheRoot: join(workFolder, 'download'),
    tempDirectory: workFolder,
    downloadOptions: {
      quiet: true,
      getProgressCallback: async (/** @type {{ transferred: number, total: number | null }} */ progress) => {
        report({ transferred: progress.transferred, total: progress.total })
      },
    },
  })
  report({ unpacking: true })
  const folder = join(workFolder, 'electron')
  mkdirSync(folder)
  await requireFromElectron('@electron-internal/extract-zip').extract(zip, { dir: folder })
  report({ folder })
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
  report({ error: `${error instanceof Error ? error.message : String(error)}${cause}` })
  process.exitCode = 1
}
process.disconnect?.()
