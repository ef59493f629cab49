import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { say, withStep } from './progress.mjs'
import { SetupError } from './setup-error.mjs'
import { distributionName, hasApt, missingBoardParts, missingSystemParts, sandboxProblem } from './system-parts.mjs'

/** Another apt may be running (unattended upgrades). */
const aptOptions = ['-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=2', '-o', 'APT::Status-Fd=3']
const policyFile = '/usr/sbin/policy-rc.d'

/** Carries apt-get's whole output. */
class AptFailure extends Error {}

/**
 * Runs apt-get and shows its percentage.
 * @param {string[]} args
 * @param {import('./progress.mjs').ProgressStep} step
 * @returns {Promise<string>} its output; an AptFailure with the output when apt fails
 */
function runApt(args, step) {
  const child = spawn('apt-get', [...aptOptions, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  const status = /** @type {import('node:stream').Readable} */ (child.stdio[3])
  status.setEncoding('utf8').on('data', (text) => {
    // `dlstatus:1:20.5:Retrieving file 3 of 40`, `pmstatus:libgtk-3-0:42.1:Unpacking libgtk-3-0`
    const last = [...text.matchAll(/^(dl|pm)status:[^:]*:([\d.]+):/gm)].pop()
    if (last) step.update(`${last[1] === 'dl' ? 'downloading' : 'installing'} ${Math.floor(Number(last[2]))} %`)
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new AptFailure(output))))
  })
}

/**
 * Since Debian 13 and Ubuntu 24.04 some libraries are called `…t64`; the old name is then at best a virtual package with several providers.
 * @param {string[]} names
 * @returns {string[]} what the packages are called on this system
 */
function namesHere(names) {
  // One call for all: each costs up to seconds where apt keeps no cache of its lists. It lists only what it knows.
  const { stdout } = spawnSync('apt-cache', ['policy', ...names.flatMap((name) => [name, `${name}t64`])], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  const installable = new Set(
    [...(stdout ?? '').matchAll(/^(\S+):\n\s+Installed: .*\n\s+Candidate: (?!\(none\))/gm)].map((match) => match[1]),
  )
  return names.map((name) => (!installable.has(name) && installable.has(`${name}t64`) ? `${name}t64` : name))
}

/**
 * Installs packages without letting Debian start the services in them: an SSH server must not begin to listen because somebody ran the
 * tests. The policy file obeys only while this process lives, so a killed set-up leaves nothing in force.
 * @param {string[]} packages
 * @param {import('./progress.mjs').ProgressStep} step
 */
async function installWithoutServices(packages, step) {
  const ownPolicy = !existsSync(policyFile)
  const script = `#!/bin/sh\n# Written by Edgesmith's set-up, which removes it again.\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`
  if (ownPolicy) writeFileSync(policyFile, script, { mode: 0o755 })
  try {
    await runApt(['install', ...packages], step)
  } finally {
    if (ownPolicy) rmSync(policyFile, { force: true })
  }
  if (packages.includes('openssh-server') && existsSync('/run/systemd/system')) {
    spawnSync('systemctl', ['disable', '--quiet', 'ssh.service', 'ssh.socket'], { stdio: 'ignore' })
  }
}

/**
 * @param {string} output apt's
 * @returns {SetupError}
 */
export function explainAptFailure(output) {
  const lines = output
    .split('\n')
    .filter((line) => /^(E|W|Err):?/.test(line))
    .slice(-5)
    .join('\n')
  if (/No space left|not enough free space|don't have enough free space/i.test(output)) {
    return new SetupError('DISK_FULL', 'apt-get: no space left on the disk', `Free some space, then run the same command again.\n${lines}`)
  }
  if (/Could not resolve|Could not connect|Connection (failed|timed out|refused)|Temporary failure/i.test(output)) {
    return new SetupError(
      'NETWORK_UNREACHABLE',
      'apt-get could not reach the package archive',
      `Check the network, then run the same command again.\n${lines}`,
    )
  }
  return new SetupError('SYSTEM_PACKAGES_MISSING', 'apt-get failed', lines || output.slice(-1000))
}

/**
 * @param {string[]} packages
 */
async function install(packages) {
  say(`Installing with apt-get: ${packages.join(' ')}`)
  await withStep('system packages', async (step) => {
    try {
      const listsEmpty = !existsSync('/var/lib/apt/lists') || !readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
      if (listsEmpty) await runApt(['update'], step)
      try {
        await installWithoutServices(namesHere(packages), step)
      } catch (error) {
        // Lists from months ago name versions that the archive no longer has.
        if (listsEmpty || !/Unable to locate|404|Unable to fetch|no installation candidate/.test(String(error))) throw error
        await runApt(['update'], step)
        await installWithoutServices(namesHere(packages), step)
      }
    } catch (error) {
      throw error instanceof AptFailure ? explainAptFailure(error.message) : error
    }
  })
}

/**
 * Makes sure that the system has what Electron and the tests need. As root on Debian and Ubuntu it installs, otherwise it says what to do.
 * @param {{ purpose: 'start' | 'test', electronPath: string, env?: NodeJS.ProcessEnv }} options
 * @throws {SetupError} SYSTEM_PACKAGES_MISSING, SANDBOX_UNAVAILABLE, NETWORK_UNREACHABLE, DISK_FULL
 */
export async function ensureSystemPackages(options) {
  let missing = missingSystemParts(options)
  const isRoot = process.getuid?.() === 0
  if (missing.length > 0 && isRoot && hasApt() && missing.every((part) => part.package)) {
    await install([...new Set(missing.map((part) => part.package ?? ''))])
    missing = missingSystemParts(options)
  }
  if (missing.length > 0) throw missingPartsError(missing, hasApt())
  if (options.purpose === 'test') await installOptionalParts(missingBoardParts(options.env))
  const fix = sandboxProblem(options.electronPath, options.env)
  if (fix) {
    const hint = `This system does not allow ordinary users the namespaces it needs. Allow it for this Electron, then run the same command again:\n${fix}\nIn a container that cannot allow it, and only for files you trust: ELECTRON_DISABLE_SANDBOX=1`
    throw new SetupError('SANDBOX_UNAVAILABLE', "Electron's sandbox cannot start", hint)
  }
}

/**
 * Installs parts that only some tests need, as root on Debian and Ubuntu. Where that cannot be done it says so, and those tests are skipped.
 * @param {import('./system-parts.mjs').SystemPart[]} missing
 */
export async function installOptionalParts(missing) {
  if (missing.length === 0) return
  const consequence = `Without it the tests of ${missing[0]?.neededFor} are skipped.`
  const names = missing.map((part) => part.what).join(', ')
  if (process.getuid?.() !== 0 || !hasApt()) {
    say(`Not installed here: ${names}. ${consequence}`)
    return
  }
  try {
    await install(missing.flatMap((part) => part.package ?? []))
  } catch (error) {
    const reason = error instanceof SetupError ? `${error.message}\n${error.hint}` : String(error)
    say(`Could not install ${names}: ${reason}\n${consequence}`)
  }
}

/**
 * @param {import('./system-parts.mjs').SystemPart[]} missing
 * @param {boolean} apt
 * @param {(names: string[]) => string[]} [names] what packages are called on this system
 * @returns {SetupError}
 */
export function missingPartsError(missing, apt, names = namesHere) {
  const purposes = [...new Set(missing.map((part) => part.neededFor))]
  const named = (/** @type {string} */ purpose) => missing.filter((part) => part.neededFor === purpose).map((part) => part.what)
  const message = `Missing on this system: ${purposes.map((purpose) => `for ${purpose} ${named(purpose).join(', ')}`).join('; ')}`
  const packages = [...new Set(missing.flatMap((part) => part.package ?? []))]
  const unknown = missing.filter((part) => !part.package).map((part) => part.what)
  const byHand = `Install them with the package manager of ${distributionName()}, then run the same command again.`
  if (!apt || packages.length === 0) return new SetupError('SYSTEM_PACKAGES_MISSING', message, byHand)
  const command = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names(packages).join(' ')}`
  const rest = unknown.length > 0 ? `\nand, with any package that holds it: ${unknown.join(', ')}` : ''
  return new SetupError('SYSTEM_PACKAGES_MISSING', message, `Run this, then the same command again:\n${command}${rest}`)
}
