#!/usr/bin/env node
/**
 * Completes package-lock.json after a change of dependencies:
 *
 *     npm install --package-lock-only --ignore-scripts     (or any other npm install)
 *     node scripts/complete-lockfile.mjs
 *
 * Why: npm drops an optional package from the lockfile when the registry that made it does not carry the package (mirrors often lack
 * other platforms' binaries), and `npm ci` then refuses the lockfile with EUSAGE, on every platform and with every registry. This adds the
 * dropped entries again: version, os, cpu, libc and, where the registry knows the package, its integrity. Where it does not, os, cpu and
 * libc are read from the package's name; npm then fetches exactly that version on the platforms that need it and skips it on all others.
 *
 * With --check nothing is written or asked from the registry: exit code 1 and a list when entries are missing.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runNpm } from './setup/npm-command.mjs'
import { say } from './setup/progress.mjs'
import { projectRoot } from './setup/project-paths.mjs'
import { printSetupError, SetupError } from './setup/setup-error.mjs'

/** @typedef {Record<string, any>} LockedPackage an entry of package-lock.json; fields this script does not know are kept */
/** @typedef {{ packages: Record<string, LockedPackage> }} Lockfile */
/** @typedef {{ dependent: string, place: string, name: string, range: string }} MissingEntry */

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix']
/** A name's last part → Node's process.arch. Longer names first: `arm64` also contains `arm`. */
const processors = [
  ['loong64', 'loong64'],
  ['mips64el', 'mips64el'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
  ['ppc64', 'ppc64'],
  ['arm64', 'arm64'],
  ['ia32', 'ia32'],
  ['x64', 'x64'],
  ['arm', 'arm'],
]

/**
 * @param {string} name for example `@oxc-parser/binding-linux-arm-gnueabihf`
 * @returns {{ os?: string[], cpu?: string[], libc?: string[] }}
 */
export function platformFromName(name) {
  const os = systems.find((system) => name.includes(system))
  const cpu = processors.find(([part]) => name.includes(`-${part}`))?.[1]
  const libc = os !== 'linux' ? undefined : name.includes('musl') ? 'musl' : name.includes('gnu') ? 'glibc' : undefined
  return { ...(os && { os: [os] }), ...(cpu && { cpu: [cpu] }), ...(libc && { libc: [libc] }) }
}

/**
 * Walks up from the dependent, as Node's resolution does.
 * @param {Lockfile} lockfile
 * @param {string} dependent its place, for example `node_modules/knip/node_modules/oxc-parser`; '' for the project itself
 * @param {string} name
 * @returns {boolean}
 */
function isLocked(lockfile, dependent, name) {
  let base = dependent
  for (;;) {
    if (lockfile.packages[`${base ? `${base}/` : ''}node_modules/${name}`]) return true
    if (!base) return false
    base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))
  }
}

/**
 * @param {Lockfile} lockfile
 * @returns {MissingEntry[]} optional packages that a locked package (or the project) names and the lockfile does not hold
 */
export function missingEntries(lockfile) {
  return Object.entries(lockfile.packages).flatMap(([dependent, entry]) =>
    Object.entries(/** @type {Record<string, string>} */ (entry.optionalDependencies ?? {}))
      .filter(([name]) => !isLocked(lockfile, dependent, name))
      .map(([name, range]) => {
        // Beside the dependent: found from there, and never in the way of another version further up.
        const folder = dependent.includes('node_modules/') ? dependent.slice(0, dependent.lastIndexOf('node_modules/')) : ''
        return { dependent, place: `${folder}node_modules/${name}`, name, range }
      }),
  )
}

/**
 * The project's own dependency blocks in the lockfile must be those of package.json. Optional ones are completed here; for any other
 * difference npm has to resolve versions first.
 * @param {Lockfile} lockfile
 * @param {Record<string, any>} manifest package.json
 * @throws {SetupError} LOCKFILE_INCOMPLETE
 */
export function takeOverOptionalDependencies(lockfile, manifest) {
  const root = lockfile.packages['']
  if (!root)
    throw new SetupError('LOCKFILE_INCOMPLETE', 'package-lock.json has no entry for the project', 'Run: npm install --package-lock-only')
  for (const block of ['dependencies', 'devDependencies']) {
    for (const name of new Set([...Object.keys(manifest[block] ?? {}), ...Object.keys(root[block] ?? {})])) {
      if (manifest[block]?.[name] === root[block]?.[name]) continue
      const message = `package.json wants ${name} ${manifest[block]?.[name] ?? '(nothing)'}, package-lock.json has ${root[block]?.[name] ?? 'nothing'}`
      throw new SetupError('LOCKFILE_INCOMPLETE', message, 'Run: npm install --package-lock-only --ignore-scripts')
    }
  }
  if (manifest.optionalDependencies) root.optionalDependencies = { ...manifest.optionalDependencies }
  else delete root.optionalDependencies
}

/**
 * @param {MissingEntry} missing
 * @param {string} root
 * @returns {Promise<LockedPackage>}
 */
async function lookUp(missing, root) {
  if (!/^\d+\.\d+\.\d+/.test(missing.range)) {
    const hint = 'Pin it exactly in package.json, or run npm install with a registry that carries it.'
    throw new SetupError(
      'LOCKFILE_INCOMPLETE',
      `${missing.dependent} wants ${missing.name}@${missing.range}, which is not an exact version`,
      hint,
    )
  }
  const spec = `${missing.name}@${missing.range}`
  let known
  try {
    known = JSON.parse(
      await runNpm(['view', spec, '--json', 'version', 'dist.integrity', 'os', 'cpu', 'libc', 'bin', 'engines', 'license'], { cwd: root }),
    )
  } catch (error) {
    if (!(error instanceof SetupError) || error.code !== 'PACKAGE_NOT_FOUND') throw error
    return { version: missing.range, optional: true, ...platformFromName(missing.name) }
  }
  const { 'dist.integrity': integrity, version, ...fields } = known
  return { version, integrity, optional: true, ...fields }
}

/**
 * @param {string} root folder of package.json and package-lock.json
 * @returns {Promise<number>} how many entries were added
 */
export async function completeLockfile(root) {
  const file = join(root, 'package-lock.json')
  const before = readFileSync(file, 'utf8')
  /** @type {Lockfile} */
  const lockfile = JSON.parse(before)
  takeOverOptionalDependencies(lockfile, JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const missing = missingEntries(lockfile)
  for (const entry of missing) {
    const locked = await lookUp(entry, root)
    if (lockfile.packages[entry.dependent]?.dev) locked.dev = true
    lockfile.packages[entry.place] = locked
    say(`added ${entry.name}@${locked.version}${locked.integrity ? '' : ' (not carried by this registry: platform read from its name)'}`)
  }
  // npm's own order, so that its next write does not move every entry.
  lockfile.packages = Object.fromEntries(Object.entries(lockfile.packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
  const after = `${JSON.stringify(lockfile, null, 2)}\n`
  if (after !== before) writeFileSync(file, after)
  return missing.length
}

async function main() {
  if (process.argv.includes('--check')) {
    const missing = missingEntries(JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')))
    for (const { dependent, name } of missing) say(`missing: ${name}, wanted by ${dependent || 'the project'}`)
    process.exitCode = missing.length > 0 ? 1 : 0
    return
  }
  say(`package-lock.json: ${await completeLockfile(projectRoot)} entries added`)
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    process.exitCode = printSetupError(error)
  })
}
