import { readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { dependencyProblems, isExpected, lockfileDifferences, recordInstall } from './lockfile-state.mjs'
import { runNpm } from './npm-command.mjs'
import { checkDiskSpace, checkWritable } from './platform-checks.mjs'
import { withProcessLock } from './process-lock.mjs'
import { withStep } from './progress.mjs'
import { SetupError } from './setup-error.mjs'

/** Measured: 0.97 GB of node_modules and 0.4 GB in npm's own cache, both written during one install. */
const neededBytes = 1.6e9

/**
 * Makes node_modules what package-lock.json says. Does nothing when it already is.
 * @param {string} root
 * @param {string} platform for example `linux-x64`
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<'unchanged' | 'installed'>}
 * @throws {SetupError} NETWORK_UNREACHABLE, DISK_FULL, NOT_WRITABLE and the other causes that npm can have
 */
export async function ensureDependencies(root, platform, env = process.env) {
  if (dependencyProblems(root, platform).length === 0) return 'unchanged'
  checkWritable(root)
  checkWritable(join(root, 'out'))
  return withProcessLock(join(root, 'out', '.setup.lock'), async () => {
    // Another process may have installed while this one waited.
    if (dependencyProblems(root, platform).length === 0) return 'unchanged'
    refuseToReplaceOurselves(root)
    checkDiskSpace(root, neededBytes, 'The npm dependencies')
    await withStep('npm dependencies', (step) => install(root, platform, env, step))
    return 'installed'
  })
}

/**
 * Windows does not let a running program's file be deleted, and npm run puts our own Node 22 first on PATH.
 * @param {string} root
 */
function refuseToReplaceOurselves(root) {
  if (process.platform !== 'win32' || !process.execPath.startsWith(join(root, 'node_modules') + sep)) return
  const hint = 'Run this once, then the same command again:  npm ci --ignore-scripts'
  throw new SetupError('NPM_FAILED', 'The npm dependencies changed, and Windows cannot replace the Node that is running now', hint)
}

/**
 * @param {string} root
 * @param {string} platform
 * @param {NodeJS.ProcessEnv} env
 * @param {import('./progress.mjs').ProgressStep} step
 */
async function install(root, platform, env, step) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const total = Object.entries(packages).filter(([place, entry]) => place !== '' && isExpected(entry, platform)).length
  let fetched = 0
  step.update(`0 of ${total} packages`)
  await runNpm(['ci', '--ignore-scripts', '--include=dev', '--include=optional'], {
    cwd: root,
    // Install scripts are skipped as a whole; these two make sure that nobody who runs them by hand fetches hundreds of megabytes.
    env: { ...env, ONNXRUNTIME_NODE_INSTALL: 'skip', ELECTRON_SKIP_BINARY_DOWNLOAD: '1' },
    onLine: (line) => {
      if (!/^npm http .*\.tgz /.test(line)) return
      fetched = Math.min(fetched + 1, total)
      step.update(fetched < total ? `${fetched} of ${total} packages` : 'unpacking')
    },
  })
  const [difference] = lockfileDifferences(root, platform)
  if (difference) {
    const hint = 'npm leaves optional packages out when their download fails. Check the network, then run the same command again.'
    throw new SetupError('NETWORK_UNREACHABLE', `npm ci ended without an error, but ${difference}`, hint)
  }
  recordInstall(root, platform)
}
