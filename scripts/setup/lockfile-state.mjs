import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The fields of a package-lock.json entry that decide whether and what npm installs.
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, peer?: boolean, link?: boolean,
 *   os?: string | string[], cpu?: string | string[], libc?: string | string[], optionalDependencies?: Record<string, string> }} LockedPackage
 */

/** Written inside node_modules, so that whatever wipes node_modules wipes it too. */
const stampName = '.edgesmith-stamp'

/**
 * @param {string} root folder of package-lock.json
 * @param {string} platform for example `linux-x64`
 * @returns {string} changes whenever npm would install something else
 */
function lockfileStamp(root, platform) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(platform)
    .digest('hex')
}

/**
 * npm's rule for `os`, `cpu` and `libc`: no field allows everything, `!x` forbids x, otherwise the value must be listed.
 * @param {string | string[] | undefined} allowed
 * @param {string} actual
 * @returns {boolean}
 */
function allows(allowed, actual) {
  if (allowed === undefined) return true
  const values = [allowed].flat()
  if (values.includes(`!${actual}`)) return false
  const positive = values.filter((value) => !value.startsWith('!'))
  return positive.length === 0 || positive.includes(actual) || positive.includes('any')
}

/**
 * @param {LockedPackage} entry
 * @param {string} platform for example `linux-x64`; Linux means glibc, the only one that is supported
 * @returns {boolean}
 */
export function installsOn(entry, platform) {
  const [os = '', cpu = ''] = platform.split('-')
  return allows(entry.os, os) && allows(entry.cpu, cpu) && (entry.libc === undefined || (os === 'linux' && allows(entry.libc, 'glibc')))
}

/**
 * npm leaves out optional packages without an error, also when only the network was the reason. The native binary made for this very
 * platform is then missed later, in the middle of a build; optional packages for everybody are mostly parts of another platform's.
 * @param {LockedPackage} entry
 * @param {string} platform
 * @returns {boolean}
 */
export function isExpected(entry, platform) {
  if (!entry.optional && !entry.devOptional) return true
  return (entry.os !== undefined || entry.cpu !== undefined) && installsOn(entry, platform)
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/**
 * Compares what npm recorded after its last install (node_modules/.package-lock.json) with package-lock.json.
 * @param {string} root
 * @param {string} platform
 * @returns {string[]} the differences, empty when node_modules is what the lockfile says
 */
export function lockfileDifferences(root, platform) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!wanted) return ['package-lock.json cannot be read']
  if (!installed) return ['node_modules is missing or its installation was interrupted']
  /** @type {string[]} */
  const differences = []
  for (const [place, entry] of Object.entries(wanted)) {
    if (place === '' || entry.link) continue
    const present = installed[place]
    if (!present) {
      if (isExpected(entry, platform)) differences.push(`${place} ${entry.version} is not installed`)
    } else if (present.version !== entry.version || (entry.integrity && present.integrity && present.integrity !== entry.integrity)) {
      differences.push(`${place} is ${present.version}, package-lock.json says ${entry.version}`)
    }
  }
  for (const place of Object.keys(installed)) if (!wanted[place]) differences.push(`${place} is not in package-lock.json`)
  return differences
}

/**
 * The direct dependencies whose folder is gone (somebody deleted it by hand). Optional ones are only for some platforms.
 * @param {string} root
 * @returns {string[]}
 */
function missingDirectDependencies(root) {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys({ ...dependencies, ...devDependencies }).filter(
    (name) => !existsSync(join(root, 'node_modules', name, 'package.json')),
  )
}

/**
 * Whether node_modules is what package-lock.json says. Quick where the stamp fits (one hash and some forty look-ups); without a stamp,
 * as after a hand-made `npm install`, it compares package by package and writes the stamp where that comes out equal.
 * @param {string} root
 * @param {string} platform
 * @returns {string[]} what is wrong, empty when nothing is
 */
export function dependencyProblems(root, platform) {
  const missing = missingDirectDependencies(root).map((name) => `node_modules/${name} is missing`)
  if (missing.length > 0) return missing
  if (readStamp(root) === lockfileStamp(root, platform)) return []
  const differences = lockfileDifferences(root, platform)
  if (differences.length === 0) recordInstall(root, platform)
  return differences
}

/**
 * @param {string} root
 * @returns {string}
 */
function readStamp(root) {
  try {
    return readFileSync(join(root, 'node_modules', stampName), 'utf8')
  } catch {
    return ''
  }
}

/**
 * Remembers that node_modules is what package-lock.json says. A node_modules that may only be read is compared again every time, which
 * costs some milliseconds and is no reason to fail.
 * @param {string} root
 * @param {string} platform
 */
export function recordInstall(root, platform) {
  try {
    writeFileSync(join(root, 'node_modules', stampName), lockfileStamp(root, platform))
  } catch {
    // Said above.
  }
}
