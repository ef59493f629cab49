import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withProcessLock } from '../../scripts/setup/process-lock.mjs'
import { withStep } from '../../scripts/setup/progress.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { findProgram } from '../../scripts/setup/system-parts.mjs'

/** What a board has: a shell, coreutils and friends, the C and C++ libraries. No Node, no Python, no curl, no sudo. */
const packages = [
  ...['base-files', 'bash', 'coreutils', 'dash', 'findutils', 'gawk', 'grep', 'gzip', 'libc-bin', 'libgcc-s1', 'libgomp1', 'libstdc++6'],
  ...['procps', 'sed', 'systemd', 'tar', 'util-linux'],
]

/** To be raised when the steps below change. */
const recipeVersion = 1

/** Downloads 30 MB. */
const buildTimeoutMs = 300_000

/** Folders below `var/lib/dpkg` and others that a device gets its own of, and that must be there to be mounted on. */
const mountPoints = ['dev', 'etc', 'home', 'mnt', 'proc', 'run', 'sys', 'tmp', 'usr/local', 'usr/src', 'var/lib/dpkg', 'var/tmp']

/** An archive of packages for arm64. */
export interface PackageSource {
  readonly distribution: 'debian' | 'ubuntu'
  readonly release: string
  /** A line of apt's sources.list. */
  readonly line: string
}

/**
 * The root file system of an arm64 board, made of packages of this machine's own archive; kept in the cache (200 MB), where nothing may be
 * changed in it.
 * @returns its path, or why there is none
 */
export async function arm64Root(): Promise<{ readonly path: string } | { readonly problem: string }> {
  const source = arm64PackageSource()
  if (source === null) return { problem: 'no package archive of Debian or Ubuntu is set up for apt here' }
  if (!findProgram('mmdebstrap')) return { problem: 'mmdebstrap is not installed' }
  const key = createHash('sha256')
    .update(JSON.stringify([recipeVersion, packages, source.release]))
    .digest('hex')
  const cache = join(cacheDirectory(), 'test-devices')
  const path = join(cache, `arm64-root-${key.slice(0, 16)}`)
  if (existsSync(path)) return { path }
  mkdirSync(cache, { recursive: true })
  try {
    await withProcessLock(`${path}.lock`, async () => {
      if (existsSync(path)) return
      // Of a run that was killed.
      for (const name of readdirSync(cache)) if (name.startsWith('arm64-root-') && name.endsWith('.part')) remove(join(cache, name))
      await withStep('root file system of the arm64 test device', () => build(source, `${path}.part`, path))
    })
    return { path }
  } catch (error) {
    return { problem: `its root file system could not be made: ${lastLines((error as { stderr?: string }).stderr ?? String(error))}` }
  }
}

async function build(source: PackageSource, part: string, path: string): Promise<void> {
  try {
    // Extracted, not installed: the second stage of an installation runs emulated, and takes minutes.
    const args = ['--architectures=arm64', '--mode=root', '--variant=extract', `--include=${packages.join(',')}`, source.release, part]
    await promisify(execFile)('mmdebstrap', [...args, source.line], { timeout: buildTimeoutMs, maxBuffer: 16 << 20 })
    for (const folder of mountPoints) mkdirSync(join(part, folder), { recursive: true })
    for (const folder of ['usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info', 'boot']) remove(join(part, folder))
    // What the packages' scripts would have made.
    linkUnlessThere(part, 'bin/sh', 'dash')
    linkUnlessThere(part, 'usr/bin/awk', 'gawk')
    writeFileSync(join(part, 'etc/hosts'), '127.0.0.1 localhost\n')
    writeFileSync(join(part, 'etc/resolv.conf'), '')
    renameSync(part, path)
  } catch (error) {
    remove(part)
    throw error
  }
}

function linkUnlessThere(root: string, path: string, target: string): void {
  if (!existsSync(join(root, path))) symlinkSync(target, join(root, path))
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** This machine's own archive, or for Ubuntu the one beside it that holds arm64. Null where apt or its sources are missing. */
export function arm64PackageSource(): PackageSource | null {
  if (!findProgram('apt-get')) return null
  const osRelease = readFileSync('/etc/os-release', 'utf8')
  const release = /^VERSION_CODENAME=(\w+)/m.exec(osRelease)?.[1]
  const isUbuntu = /^ID=ubuntu$/m.test(osRelease)
  if (release === undefined || !(isUbuntu || /^ID=debian$/m.test(osRelease))) return null
  const format = '$(RELEASE) $(COMPONENT) $(ARCHITECTURE) $(REPO_URI)'
  const targets = execFileSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], { encoding: 'utf8' })
  const found = targets
    .split('\n')
    .map((line) => line.split(' '))
    .find(([name, component, , uri]) => name === release && component === 'main' && /(debian|ubuntu)[\w-]*\/?$/.test(uri ?? ''))
  if (found === undefined) return null
  const uri = isUbuntu ? 'http://ports.ubuntu.com/ubuntu-ports' : found[3]
  return { distribution: isUbuntu ? 'ubuntu' : 'debian', release, line: `deb ${uri} ${release} main${isUbuntu ? ' universe' : ''}` }
}

/** The last words of a failed program, on one line. */
export function lastLines(output: string): string {
  return output
    .split('\n')
    .filter((line) => /^E:|Err:|rror/.test(line))
    .slice(-3)
    .join(' ')
    .slice(0, 500)
}
