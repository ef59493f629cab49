import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Everything the build reads, apart from node_modules, for which package-lock.json stands. */
const inputFolders = ['src']
const inputFiles = [
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
  'scripts/build.mjs',
  'scripts/setup/agent-bundle.mjs',
]

/** Without these the build is not there, whatever the stamp says. */
const outputs = [
  'main/index.js',
  'main/backend.js',
  'main/engine.js',
  'main/cli.js',
  'preload/index.cjs',
  'renderer/index.html',
  'agent/agent.cjs',
]

/** @typedef {{ mtimeMs: number, sizeBytes: number, sha256: string }} InputFile */
/** @typedef {{ platform: string, files: Record<string, InputFile> }} BuildStamp */

/**
 * @param {string} root
 * @returns {string[]} the build's input files, relative to root, that exist
 */
function listInputs(root) {
  const inFolders = inputFolders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1)),
  )
  return [...inFolders, ...inputFiles.filter((file) => existsSync(join(root, file)))]
}

/**
 * @param {string} file
 * @returns {string}
 */
function hashOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/**
 * Describes the build's inputs as they are now.
 * @param {string} root
 * @returns {BuildStamp}
 */
export function readInputs(root) {
  /** @type {Record<string, InputFile>} */
  const files = {}
  for (const path of listInputs(root)) {
    const { mtimeMs, size } = statSync(join(root, path))
    files[path] = { mtimeMs, sizeBytes: size, sha256: hashOf(join(root, path)) }
  }
  return { platform: `${process.platform}-${process.arch}`, files }
}

/**
 * Whether `out/` was built from the inputs as they are. A file with the same time and size counts as the same; one with another time is
 * compared by its hash, so a checkout that touched every file does not cost a build.
 * @param {string} root
 * @returns {boolean}
 */
export function isFresh(root) {
  const stampFile = join(root, 'out', '.build-stamp')
  /** @type {BuildStamp} */
  let stamp
  try {
    stamp = JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return false
  }
  if (stamp.platform !== `${process.platform}-${process.arch}`) return false
  if (!outputs.every((path) => existsSync(join(root, 'out', path)))) return false
  const inputs = listInputs(root)
  if (inputs.length !== Object.keys(stamp.files).length) return false
  return inputs.every((path) => {
    const before = stamp.files[path]
    if (!before) return false
    const { mtimeMs, size } = statSync(join(root, path))
    return size === before.sizeBytes && (mtimeMs === before.mtimeMs || hashOf(join(root, path)) === before.sha256)
  })
}

/**
 * @param {string} root
 * @param {BuildStamp} stamp
 */
export function writeStamp(root, stamp) {
  writeFileSync(join(root, 'out', '.build-stamp'), JSON.stringify(stamp))
}
