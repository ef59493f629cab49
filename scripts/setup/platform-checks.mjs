import fs, { accessSync, constants, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { megabytes } from './progress.mjs'
import { explainFileError, SetupError } from './setup-error.mjs'

/** Where ONNX Runtime, Node 22 and Electron all have builds. */
export const supportedPlatforms = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64']

/** The oldest Node that can run these scripts (fs.statfs, recursive fs functions, web streams); everything else runs on Node 22 from npm. */
export const oldestNodeMajor = 20

/** The dynamic loader of glibc: the native packages are built against it, musl systems (Alpine) cannot run them. */
const glibcLoaders = { x64: '/lib64/ld-linux-x86-64.so.2', arm64: '/lib/ld-linux-aarch64.so.1' }

/**
 * @param {string} [platform] for example `linux-x64`
 * @param {(path: string) => boolean} [exists]
 * @returns {string} the platform
 * @throws {SetupError} PLATFORM_UNSUPPORTED
 */
export function checkPlatform(platform = `${process.platform}-${process.arch}`, exists = existsSync) {
  if (!supportedPlatforms.includes(platform)) {
    const hint =
      platform === 'darwin-x64'
        ? 'Macs with an Intel processor are not supported: ONNX Runtime has no build for them. Use a Mac with Apple silicon, Linux or Windows.'
        : `Edgesmith runs on ${supportedPlatforms.join(', ')}. (Boards such as a Raspberry Pi are reached over SSH and need nothing installed.)`
    throw new SetupError('PLATFORM_UNSUPPORTED', `This computer is ${platform}`, hint)
  }
  const loader = platform.startsWith('linux-') ? glibcLoaders[platform === 'linux-x64' ? 'x64' : 'arm64'] : undefined
  if (loader && !exists(loader)) {
    const hint = 'ONNX Runtime and Node 22 need a glibc system such as Debian, Ubuntu or Fedora; Alpine (musl) cannot run them.'
    throw new SetupError('PLATFORM_UNSUPPORTED', `${loader} is missing: this Linux does not use glibc`, hint)
  }
  return platform
}

/**
 * @param {string} [version] of the Node that runs this script
 * @throws {SetupError} NODE_TOO_OLD
 */
export function checkNodeVersion(version = process.versions.node) {
  if (Number(version.split('.')[0]) >= oldestNodeMajor) return
  const hint = `Install Node ${oldestNodeMajor} or newer. Edgesmith brings its own Node 22 for everything it runs; yours only starts the set-up.`
  throw new SetupError('NODE_TOO_OLD', `Node ${version} is too old to start the set-up`, hint)
}

/**
 * Makes the folder if needed and proves that it can be written.
 * @param {string} directory
 * @throws {SetupError} NOT_WRITABLE, DISK_FULL
 */
export function checkWritable(directory) {
  try {
    mkdirSync(directory, { recursive: true })
    accessSync(directory, constants.W_OK)
  } catch (error) {
    throw explainFileError(error, directory)
  }
}

/**
 * @param {string} directory need not exist yet
 * @returns {number} bytes an ordinary user may still write on that disk
 */
export function freeBytes(directory) {
  let existing = directory
  while (!existsSync(existing)) existing = dirname(existing)
  // Not imported by name: Node 16 lacks it, and must live long enough to be told that it is too old.
  const { bavail, bsize } = fs.statfsSync(existing)
  return bavail * bsize
}

/**
 * @param {string} directory
 * @param {number} neededBytes
 * @param {string} what for example `the npm dependencies`
 * @param {number} [available]
 * @throws {SetupError} DISK_FULL
 */
export function checkDiskSpace(directory, neededBytes, what, available = freeBytes(directory)) {
  if (available >= neededBytes) return
  const message = `${what} need ${megabytes(neededBytes)} on the disk of ${directory}, ${megabytes(available)} are free`
  throw new SetupError('DISK_FULL', message, 'Free some space there, then run the same command again.')
}
