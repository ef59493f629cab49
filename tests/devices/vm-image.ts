import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { withProcessLock } from '../../scripts/setup/process-lock.mjs'
import { withStep } from '../../scripts/setup/progress.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { missingVirtualMachineParts } from '../../scripts/setup/system-parts.mjs'
import { arm64MachineProblem, binfmtToRegister } from './arm64-device.ts'
import { arm64PackageSource } from './arm64-root.ts'
import { openNamespace } from './namespace.ts'
import { makeKey } from './ssh-device.ts'
import { startVm } from './vm-process.ts'

/** Half an hour for five and a half minutes of work: a slow archive, and a computer with other things to do. */
const buildTimeoutMs = 30 * 60_000
const neededDiskBytes = 3e9
/** The machine's own 1 GiB, the emulator's translations, and what runs beside it. */
const neededMemoryBytes = 2.5e9

/** Files of the machine in the cache. */
export interface VmImage {
  readonly folder: string
  /** Private key that may log in as `pi`. */
  readonly keyPath: string
  readonly hostFingerprint: string
}

/** Why the virtual machine cannot be made or started here; null when it can. */
export function vmProblem(): string | null {
  const problem = arm64MachineProblem()
  if (problem !== null) return problem
  const missing = missingVirtualMachineParts()
  if (missing.length > 0) return `not installed: ${missing.map(({ what }) => what).join(', ')}`
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024
  if (available < neededMemoryBytes) return `${gigabytes(available)} of memory are free, ${gigabytes(neededMemoryBytes)} are needed`
  const cache = cacheDirectory()
  mkdirSync(cache, { recursive: true })
  const { bavail, bsize } = statfsSync(cache)
  if (bavail * bsize < neededDiskBytes) return `${gigabytes(bavail * bsize)} are free in ${cache}, ${gigabytes(neededDiskBytes)} are needed`
  return arm64PackageSource()?.distribution === 'debian'
    ? null
    : 'it is made of packages of Debian, and no archive of Debian is set up for apt here'
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`

/**
 * The machine's files from the cache; made the first time, which takes about six minutes. The disk holds a snapshot of the machine just
 * after it has started, so that later runs need not wait for that.
 * @throws where {@link vmProblem} names a reason, and when the archive cannot be reached
 */
export async function ensureVmImage(): Promise<VmImage> {
  const source = arm64PackageSource()
  if (source === null) throw new Error('No package archive')
  const recipe = readFileSync(join(import.meta.dirname, 'vm-image-namespace.sh'), 'utf8')
  const key = createHash('sha256')
    .update(JSON.stringify([recipe, source.release]))
    .digest('hex')
    .slice(0, 16)
  const cache = join(cacheDirectory(), 'test-devices')
  const folder = join(cache, `arm64-vm-${key}`)
  mkdirSync(cache, { recursive: true })
  await withProcessLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return
    // Of a run that was killed.
    for (const name of readdirSync(cache)) if (name.startsWith('arm64-vm-') && name.endsWith('.part')) remove(join(cache, name))
    const part = `${folder}.part`
    mkdirSync(part)
    try {
      makeKey(join(part, 'id'), 'ed25519')
      await buildDisk(part, source.release, source.line)
      await withStep('start of the virtual machine, and its snapshot', () => snapshot(part))
      renameSync(part, folder)
    } catch (error) {
      remove(part)
      throw error
    }
  })
  return {
    folder,
    keyPath: join(folder, 'id'),
    hostFingerprint: readFileSync(join(folder, 'host-key'), 'utf8').split(' ')[1] ?? '',
  }
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

async function buildDisk(part: string, release: string, line: string): Promise<void> {
  await withStep('disk of the arm64 virtual machine (some minutes, once)', async (step) => {
    const onText = (text: string) => {
      const last = text
        .split('\n')
        .filter((said) => /^(step: |I: |Setting up )/.test(said))
        .pop()
      if (last !== undefined) step.update(last.slice(0, 60))
    }
    const args = [part, release, line, binfmtToRegister(), join(part, 'id.pub')]
    const space = await openNamespace('vm-image-namespace.sh', args, { users: true, network: 'shared', timeoutMs: buildTimeoutMs, onText })
    await space.close()
  })
  execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(part, 'disk.img'), join(part, 'disk.qcow2')])
  remove(join(part, 'disk.img'))
}

async function snapshot(folder: string): Promise<void> {
  const machine = await startVm(folder, join(folder, 'disk.qcow2'), { fromSnapshot: false })
  try {
    // The SSH server answers while other units still start. It may end as `degraded`, which is no failure of the command's purpose.
    await machine.run('systemctl is-system-running --wait || true')
    await machine.saveSnapshot()
  } finally {
    await machine.stop()
  }
}
