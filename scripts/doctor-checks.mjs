/**
 * What a clone needs and what of it is there. Looks only: nothing is installed, downloaded or changed. Runs before the first set-up too.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isFresh } from './setup/build-stamp.mjs'
import { findElectron, wantedElectronVersion } from './setup/electron-runtime.mjs'
import { dependencyProblems } from './setup/lockfile-state.mjs'
import { findNode, nodeMajor } from './setup/node-runtime.mjs'
import { environmentWithoutBin } from './setup/npm-command.mjs'
import { folderBytes } from './setup/npm-tarball.mjs'
import { checkPlatform, freeBytes, oldestNodeMajor, supportedPlatforms } from './setup/platform-checks.mjs'
import { megabytes } from './setup/progress.mjs'
import { cacheDirectory, projectRoot } from './setup/project-paths.mjs'
import { SetupError } from './setup/setup-error.mjs'
import { missingPartsError } from './setup/system-packages.mjs'
import { findProgram, hasApt, hasDisplay, missingLibraries, sandboxProblem } from './setup/system-parts.mjs'

/** @typedef {{ name: string, status: 'ok' | 'warning' | 'missing', found: string, needed: string, fix: string | null }} Check */

const setUpCommand = 'node scripts/bootstrap.mjs'
/** A full set-up writes about this much: dependencies, npm's cache, Electron and what it is made from, the build. */
const roomForSetUp = 2.5e9
/** Models, datasets and measurements of a small workspace. */
const roomToWork = 0.5e9

/**
 * @param {string} name
 * @param {string} found
 * @param {string} needed
 * @returns {Check}
 */
const ok = (name, found, needed) => ({ name, status: 'ok', found, needed, fix: null })

/**
 * @param {string} root
 * @returns {Check}
 */
function checkDependencies(root) {
  const needed = 'exactly what package-lock.json says'
  const problems = dependencyProblems(root, `${process.platform}-${process.arch}`)
  if (problems.length === 0) return ok('npm dependencies', 'complete', needed)
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
  return { name: 'npm dependencies', status: 'missing', found: `${problems[0]}${more}`, needed, fix: setUpCommand }
}

/**
 * The machine's own Node, not the one in node_modules/.bin that npm puts first on PATH.
 * @returns {Check}
 */
function checkSystemNode() {
  const needed = `${oldestNodeMajor} or newer, to start the set-up`
  const { stdout } = spawnSync('node', ['--version'], {
    encoding: 'utf8',
    env: environmentWithoutBin(),
    shell: process.platform === 'win32',
  })
  const version = stdout?.trim() ?? ''
  if (Number(version.slice(1).split('.')[0]) >= oldestNodeMajor) return ok('Node (system)', version.slice(1), needed)
  return {
    name: 'Node (system)',
    status: 'warning',
    found: version.slice(1) || 'not on PATH',
    needed,
    fix: 'Install Node, for example from nodejs.org',
  }
}

/**
 * @param {string} root
 * @returns {Check}
 */
function checkRuntime(root) {
  const needed = `${nodeMajor}, which runs everything but the window`
  const node = findNode(root)
  if (node) return ok('Node (runtime)', `${node.version} (${node.path})`, needed)
  return { name: 'Node (runtime)', status: 'missing', found: 'not installed', needed, fix: setUpCommand }
}

/**
 * @param {string} root
 * @returns {{ check: Check, path: string | undefined }}
 */
function checkElectron(root) {
  const name = 'Electron'
  if (!existsSync(join(root, 'node_modules', 'electron', 'package.json'))) {
    return { check: { name, status: 'missing', found: 'not installed', needed: 'for the window', fix: setUpCommand }, path: undefined }
  }
  const wanted = wantedElectronVersion(root)
  const needed = `${wanted}, for the window`
  try {
    const electron = findElectron(root, `${process.platform}-${process.arch}`)
    if (!electron) return { check: { name, status: 'missing', found: 'not installed', needed, fix: setUpCommand }, path: undefined }
    const found = `${electron.version} (${electron.path})`
    if (electron.source !== 'fallback') return { check: ok(name, found, needed), path: electron.path }
    const fix = `${setUpCommand} --official-electron`
    return { check: { name, status: 'warning', found: `${found}, stand-in from the npm registry`, needed, fix }, path: electron.path }
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    return { check: { name, status: 'missing', found: error.message, needed, fix: error.hint }, path: undefined }
  }
}

/**
 * @param {string | undefined} electronPath
 * @returns {Check[]}
 */
function checkSystem(electronPath) {
  if (process.platform !== 'linux') return []
  /** @type {Check[]} */
  const checks = []
  const fixFor = (/** @type {import('./setup/system-parts.mjs').SystemPart[]} */ parts) =>
    missingPartsError(parts, hasApt()).hint.split('\n').pop() ?? null
  if (electronPath) {
    const missing = missingLibraries(electronPath)
    const found = missing.map((part) => part.what).join(', ')
    const needed = "Electron's shared libraries"
    checks.push(
      missing.length === 0
        ? ok('system libraries', 'complete', needed)
        : { name: 'system libraries', status: 'missing', found: `without ${found}`, needed, fix: fixFor(missing) },
    )
    const fix = sandboxProblem(electronPath)
    const sandboxed = process.getuid?.() === 0 ? 'off, as always for root' : 'works'
    checks.push(
      fix
        ? { name: 'sandbox', status: 'missing', found: 'cannot start', needed: 'for the window', fix }
        : ok('sandbox', sandboxed, 'for the window'),
    )
  }
  const xvfb = findProgram('Xvfb')
  const screen = process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  const needed = 'a display, or Xvfb'
  if (screen || xvfb) checks.push(ok('display', hasDisplay() ? String(screen) : String(xvfb), needed))
  else
    checks.push({
      name: 'display',
      status: 'missing',
      found: 'none',
      needed,
      fix: fixFor([{ what: 'Xvfb', package: 'xvfb', neededFor: 'a window without a display' }]),
    })
  return checks
}

/** @returns {Check} */
function checkSshServer() {
  const needed = 'for the device tests only'
  const sshd = findProgram('sshd')
  if (sshd) return ok('sshd', sshd, needed)
  const fix = hasApt()
    ? missingPartsError([{ what: 'sshd', package: 'openssh-server', neededFor: needed }], true)
        .hint.split('\n')
        .pop()
    : undefined
  return { name: 'sshd', status: 'warning', found: 'not installed', needed, fix: fix ?? 'Install an OpenSSH server' }
}

/**
 * @param {string} root
 * @returns {Check}
 */
function checkBuild(root) {
  const needed = 'out/, built from the sources as they are'
  if (isFresh(root)) return ok('build', 'up to date', needed)
  const found = existsSync(join(root, 'out', '.build-stamp')) ? 'older than the sources' : 'not built'
  return { name: 'build', status: 'warning', found, needed, fix: 'npm run build' }
}

/**
 * @param {string} root
 * @param {boolean} complete nothing has to be set up any more
 * @returns {Check[]}
 */
function checkDisks(root, complete) {
  const needed = complete ? roomToWork : roomForSetUp
  const free = freeBytes(root)
  const text = `${megabytes(needed)}${complete ? ' to work' : ' for the set-up'}`
  const cache = cacheDirectory()
  const parts = existsSync(cache) ? readdirSync(cache) : []
  return [
    free >= needed
      ? ok('disk space', `${megabytes(free)} free`, text)
      : {
          name: 'disk space',
          status: 'warning',
          found: `${megabytes(free)} free`,
          needed: text,
          fix: `Free some space on the disk of ${root}`,
        },
    ok(
      'cache',
      `${megabytes(folderBytes(cache))} in ${cache}${parts.length > 0 ? '' : ' (empty)'}`,
      'downloads kept for the next npm ci; may be deleted',
    ),
  ]
}

/**
 * Checks everything a clone needs to run.
 * @param {string} [root]
 * @returns {Promise<Check[]>}
 */
export async function runChecks(root = projectRoot) {
  /** @type {Check[]} */
  const checks = []
  const platforms = supportedPlatforms.join(', ')
  try {
    checks.push(ok('platform', checkPlatform(), platforms))
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    checks.push({ name: 'platform', status: 'missing', found: error.message, needed: platforms, fix: error.hint })
  }
  const electron = checkElectron(root)
  checks.push(
    checkSystemNode(),
    checkRuntime(root),
    checkDependencies(root),
    electron.check,
    ...checkSystem(electron.path),
    checkSshServer(),
    checkBuild(root),
  )
  const complete = checks.every((check) => check.status !== 'missing')
  return [...checks, ...checkDisks(root, complete)]
}
