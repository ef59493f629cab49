import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { runNpm } from './npm-command.mjs'
import { megabytes } from './progress.mjs'
import { SetupError } from './setup-error.mjs'

const pollMs = 500

/**
 * One package version that is fetched by hand, outside package-lock.json, with the hash of exactly the bytes that were tried out.
 * @typedef {{ name: string, version: string, integrity: string, sizeBytes: number }} PinnedPackage
 */

/**
 * @param {string} directory
 * @returns {number} bytes of all files below; files that vanish meanwhile do not count
 */
export function folderBytes(directory) {
  let sum = 0
  try {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) sum += folderBytes(path)
      else if (entry.isFile()) sum += statSync(path, { throwIfNoEntry: false })?.size ?? 0
    }
  } catch {
    // Gone between listing and reading.
  }
  return sum
}

/**
 * Refuses a file whose content is not the expected one, and deletes it.
 * @param {string} file
 * @param {string} integrity `sha512-` and base64, as npm writes it
 * @throws {SetupError} INTEGRITY_MISMATCH
 */
async function checkIntegrity(file, integrity) {
  const hash = createHash('sha512')
  await pipeline(createReadStream(file), hash)
  const found = `sha512-${hash.digest('base64')}`
  if (found === integrity) return
  rmSync(file, { force: true })
  const message = `${basename(file)} is not the file that was expected: ${found} instead of ${integrity}`
  throw new SetupError(
    'INTEGRITY_MISMATCH',
    message,
    'It was deleted and nothing was installed from it. Check the registry that npm uses, then run the same command again.',
  )
}

/**
 * Fetches a pinned package's tarball with the npm that is there (its registry, proxy, certificates and credentials), and checks it.
 * @param {PinnedPackage} pinned
 * @param {string} directory an empty folder of the caller's, on the disk where the result will live
 * @param {{ env?: NodeJS.ProcessEnv, onProgress?: (detail: string) => void }} [options]
 * @returns {Promise<string>} the tarball's path
 * @throws {SetupError} INTEGRITY_MISMATCH, NETWORK_UNREACHABLE, PACKAGE_NOT_FOUND, DISK_FULL, NOT_WRITABLE
 */
export async function fetchTarball(pinned, directory, { env = process.env, onProgress } = {}) {
  // A cache of its own: it can be watched while it grows, and does not leave a second copy in npm's own.
  const npmCache = join(directory, 'npm-cache')
  mkdirSync(npmCache, { recursive: true })
  const timer = setInterval(() => {
    onProgress?.(`${megabytes(Math.min(folderBytes(npmCache), pinned.sizeBytes))} of ${megabytes(pinned.sizeBytes)}`)
  }, pollMs)
  try {
    const spec = `${pinned.name}@${pinned.version}`
    const output = await runNpm(['pack', spec, '--json', '--ignore-scripts', `--pack-destination=${directory}`, `--cache=${npmCache}`], {
      cwd: directory,
      env,
    })
    const fileName = /** @type {string} */ (JSON.parse(output)[0].filename)
    // npm writes the scope's slash as a dash in the file it makes, but older versions report the name with the slash.
    const tarball = join(directory, fileName.replace('@', '').replace('/', '-'))
    onProgress?.('checking')
    await checkIntegrity(tarball, pinned.integrity)
    return tarball
  } finally {
    clearInterval(timer)
    rmSync(npmCache, { recursive: true, force: true })
  }
}
