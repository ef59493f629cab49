import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/**
 * Something outside the project that has to be installed on the system.
 * @typedef {{ what: string, package: string | undefined, neededFor: string }} SystemPart
 */

/**
 * The shared libraries that Electron is linked with or opens later → Debian's package. From Debian 13 and Ubuntu 24.04 on some are called
 * `…t64`; apt-packages.mjs finds out.
 * @type {Record<string, string>}
 */
const packageOfLibrary = {
  'libX11.so.6': 'libx11-6',
  'libXcomposite.so.1': 'libxcomposite1',
  'libXdamage.so.1': 'libxdamage1',
  'libXext.so.6': 'libxext6',
  'libXfixes.so.3': 'libxfixes3',
  'libXrandr.so.2': 'libxrandr2',
  'libasound.so.2': 'libasound2',
  'libatk-1.0.so.0': 'libatk1.0-0',
  'libatk-bridge-2.0.so.0': 'libatk-bridge2.0-0',
  'libatspi.so.0': 'libatspi2.0-0',
  'libcairo.so.2': 'libcairo2',
  'libcups.so.2': 'libcups2',
  'libdbus-1.so.3': 'libdbus-1-3',
  'libdrm.so.2': 'libdrm2',
  'libexpat.so.1': 'libexpat1',
  'libgbm.so.1': 'libgbm1',
  'libgio-2.0.so.0': 'libglib2.0-0',
  'libglib-2.0.so.0': 'libglib2.0-0',
  'libgobject-2.0.so.0': 'libglib2.0-0',
  'libgtk-3.so.0': 'libgtk-3-0',
  'libnotify.so.4': 'libnotify4',
  'libnspr4.so': 'libnspr4',
  'libnss3.so': 'libnss3',
  'libnssutil3.so': 'libnss3',
  'libpango-1.0.so.0': 'libpango-1.0-0',
  'libsmime3.so': 'libnss3',
  'libudev.so.1': 'libudev1',
  'libxcb.so.1': 'libxcb1',
  'libxkbcommon.so.0': 'libxkbcommon0',
}

/** Opened with dlopen, so ldd does not name them: GTK in newer versions, and desktop notifications. */
const openedLater = ['libgtk-3.so.0', 'libnotify.so.4']

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {string} stdout, empty when it cannot be run
 */
function outputOf(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }).stdout ?? ''
}

/**
 * @param {string} electronPath
 * @returns {SystemPart[]}
 */
export function missingLibraries(electronPath) {
  const notFound = [...outputOf('ldd', [electronPath]).matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '')
  // Absolute, because /sbin is not on an ordinary user's PATH.
  const known = outputOf('/sbin/ldconfig', ['-p'])
  const unopenable = known ? openedLater.filter((library) => !known.includes(`\t${library} `)) : []
  return [...new Set([...notFound, ...unopenable])].map((library) => ({
    what: library,
    package: packageOfLibrary[library],
    neededFor: 'Electron',
  }))
}

/**
 * @param {string} name
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string[]} [alsoIn] folders that hold administrators' programs and are not on an ordinary user's PATH
 * @returns {string | undefined} the program's path
 */
export function findProgram(name, env = process.env, alsoIn = ['/usr/sbin', '/sbin']) {
  const folders = [...(env.PATH ?? '').split(delimiter), ...alsoIn].filter(Boolean)
  return folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return statSync(path).isFile()
      } catch {
        return false
      }
    })
}

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {boolean} whether a window can be opened as things are
 */
export function hasDisplay(env = process.env) {
  return process.platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)
}

/**
 * What the system lacks, found by looking for the thing itself rather than by asking a package manager.
 * @param {{ purpose: 'start' | 'test', electronPath: string, env?: NodeJS.ProcessEnv }} options
 * @returns {SystemPart[]}
 */
export function missingSystemParts({ purpose, electronPath, env = process.env }) {
  if (process.platform !== 'linux') return []
  const missing = missingLibraries(electronPath)
  // The end-to-end test speaks X11, which a session with Wayland alone does not.
  const needsXvfb = purpose === 'test' ? !env.DISPLAY : !hasDisplay(env)
  if (needsXvfb && !findProgram('Xvfb', env)) missing.push({ what: 'Xvfb', package: 'xvfb', neededFor: 'a window without a display' })
  if (purpose === 'test' && !findProgram('sshd', env))
    missing.push({ what: 'sshd', package: 'openssh-server', neededFor: 'the device tests (it is not started as a service)' })
  return missing
}

/**
 * What the emulated arm64 boards of the tests need (tests/devices). Nobody has to have it: without it their tests are skipped.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {SystemPart[]}
 */
export function missingBoardParts(env = process.env) {
  // Elsewhere, and for an ordinary user, no such board can be started anyhow.
  if (process.platform !== 'linux' || process.arch !== 'x64' || process.getuid?.() !== 0) return []
  const neededFor = 'the arm64 test device'
  /** @type {SystemPart[]} */
  const missing = []
  // The registration of the emulator with the kernel; the emulator comes with it.
  if (!existsSync('/usr/lib/binfmt.d/qemu-aarch64.conf')) missing.push({ what: 'qemu-aarch64', package: 'qemu-user-static', neededFor })
  if (!findProgram('mmdebstrap', env)) missing.push({ what: 'mmdebstrap', package: 'mmdebstrap', neededFor })
  return missing
}

/**
 * What the arm64 virtual machine of `npm run test:vm` needs beyond that.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {SystemPart[]}
 */
export function missingVirtualMachineParts(env = process.env) {
  const packages = {
    'qemu-system-aarch64': 'qemu-system-arm',
    'qemu-img': 'qemu-utils',
    'arch-test': 'arch-test',
    cpio: 'cpio',
    mke2fs: 'e2fsprogs',
  }
  return missingPrograms(packages, 'the arm64 virtual machine', env)
}

/**
 * What `npm run test:containers` needs.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {SystemPart[]}
 */
export function missingContainerParts(env = process.env) {
  const names = ['podman', 'runc', 'iptables', 'netavark', 'aardvark-dns', 'catatonit', 'docker-compose', 'mmdebstrap']
  const packages = Object.fromEntries(names.map((name) => [name, name]))
  // Podman keeps its own helpers there.
  return missingPrograms(packages, 'containers', { ...env, PATH: `${env.PATH ?? ''}:/usr/lib/podman` })
}

/**
 * @param {Record<string, string>} packages by program
 * @param {string} neededFor
 * @param {NodeJS.ProcessEnv} env
 * @returns {SystemPart[]}
 */
function missingPrograms(packages, neededFor, env) {
  return Object.entries(packages)
    .filter(([program]) => !findProgram(program, env))
    .map(([program, name]) => ({ what: program, package: name, neededFor }))
}

/**
 * Chromium's sandbox needs unprivileged user namespaces or a helper with root's setuid bit. Asked for an ordinary user only: as root Electron
 * runs without its sandbox. ELECTRON_DISABLE_SANDBOX is Electron's own switch, for containers where neither can be had.
 * @param {string} electronPath
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | undefined} the command that makes it work; undefined when it does
 */
export function sandboxProblem(electronPath, env = process.env) {
  if (process.platform !== 'linux' || process.getuid?.() === 0 || env.ELECTRON_DISABLE_SANDBOX) return undefined
  const helper = join(dirname(realpathSync(electronPath)), 'chrome-sandbox')
  const helperStat = statSync(helper, { throwIfNoEntry: false })
  if (helperStat?.uid === 0 && helperStat.mode & 0o4000) return undefined
  // Mapping root is what Ubuntu's AppArmor rule forbids; creating the namespace alone still works there.
  const attempt = spawnSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'ignore' })
  if (attempt.error || attempt.status === 0) return undefined
  return `sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'`
}

/** @returns {boolean} whether packages come from apt here (Debian, Ubuntu and their relatives) */
export function hasApt() {
  return existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg')
}

/** @returns {string} the distribution's name for messages */
export function distributionName() {
  try {
    return /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'this system'
  } catch {
    return 'this system'
  }
}
