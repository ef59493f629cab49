import { execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { missingContainerParts } from '../../scripts/setup/system-parts.mjs'
import { arm64PackageSource } from '../devices/arm64-root.ts'
import { type BaseImage, baseImageFile } from './base-images.ts'

/** Of open files and processes; Podman's own wish is a million, which only some may have. */
const mostOfAny = 16_384
const commandTimeoutMs = 10 * 60_000

/** Podman with containers, images and networks of its own. */
export interface ContainerEngine {
  /** Standard output of a podman command. @throws with what it said where it fails */
  podman(...args: readonly string[]): Promise<string>
  /** Exit code of a podman command. */
  statusOf(...args: readonly string[]): number | null
  /** Of Docker's compose, which talks to Podman as it would to Docker. */
  compose(folder: string, ...args: readonly string[]): Promise<string>
  /** Makes a base image known, in place of one of the same name. */
  import(image: BaseImage): Promise<void>
  /** For x86-64. */
  build(context: string, dockerfile: string, tag: string): Promise<void>
  close(): Promise<void>
}

/** Why containers cannot be run here; null when they can. */
export function containerProblem(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it is set up for Linux on x86-64 only'
  if (process.getuid?.() !== 0) return 'Podman is used as root'
  const missing = missingContainerParts()
  if (missing.length > 0) return `not installed: ${missing.map(({ what }) => what).join(', ')}`
  if (arm64PackageSource()?.distribution !== 'debian')
    return 'base images are made of packages of Debian, and no archive of Debian is set up'
  const tried = spawnSync('unshare', ['--mount', '--net', '--pid', '--fork', 'true'], { encoding: 'utf8' })
  return tried.status === 0 ? null : `no namespaces: ${tried.error?.message ?? tried.stderr.trim()}`
}

/** @throws where {@link containerProblem} names a reason */
export async function startEngine(): Promise<ContainerEngine> {
  const problem = containerProblem()
  if (problem !== null) throw new Error(problem)
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-containers-'))
  const socket = `unix://${join(folder, 'podman.sock')}`
  const configuration = join(folder, 'containers.conf')
  writeFileSync(configuration, configurationText())
  const env = { ...process.env, CONTAINERS_CONF: configuration, BUILDAH_RUNTIME: '/usr/bin/runc', DOCKER_HOST: socket }
  const own = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run')]
  const options = { env, timeout: commandTimeoutMs, maxBuffer: 64 << 20 }
  const run = async (program: string, args: readonly string[], cwd?: string) =>
    (await promisify(execFile)(program, args, { ...options, ...(cwd !== undefined && { cwd }) })).stdout
  const podman: ContainerEngine['podman'] = (...args) => run('podman', [...own, ...args])
  const service = spawn('podman', [...own, 'system', 'service', '--time=0', socket], { env, stdio: 'ignore' })
  return {
    podman,
    statusOf: (...args) => spawnSync('podman', [...own, ...args], options).status,
    compose: (context, ...args) => run('docker-compose', args, context),
    async import(image) {
      await podman('rmi', '--force', '--ignore', image.name)
      const changes = image.changes.flatMap((change) => ['--change', change])
      await podman('import', '--quiet', ...changes, await baseImageFile(image), image.name)
    },
    async build(context, dockerfile, tag) {
      // Health checks are Docker's; nothing is to be fetched, and no step needs a network.
      const kind = ['--format', 'docker', '--pull=never', '--network', 'none', '--platform', 'linux/amd64']
      await podman('build', ...kind, '--file', join(context, dockerfile), '--tag', tag, context)
    },
    async close() {
      service.kill()
      await podman('pod', 'rm', '--all', '--force')
      await podman('rm', '--all', '--force', '--time', '0')
      await podman('network', 'prune', '--force')
      spawnSync('umount', [join(folder, 'storage', 'overlay')])
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** Limits that this machine grants, and control groups without systemd. */
function configurationText(): string {
  const limits = readFileSync('/proc/self/limits', 'utf8')
  const hard = (name: string) => Math.min(Number(new RegExp(`^${name}\\s+\\S+\\s+(\\d+)`, 'm').exec(limits)?.[1] ?? 1024), mostOfAny)
  const [files, processes] = [hard('Max open files'), hard('Max processes')]
  return `[containers]
default_ulimits = ["nofile=${files}:${files}", "nproc=${processes}:${processes}"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
`
}
