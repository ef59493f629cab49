import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withProcessLock } from '../../scripts/setup/process-lock.mjs'
import { withStep } from '../../scripts/setup/progress.mjs'
import { cacheDirectory } from '../../scripts/setup/project-paths.mjs'
import { arm64PackageSource } from '../devices/arm64-root.ts'

/** A slow archive, and a computer with other things to do. */
const buildTimeoutMs = 20 * 60_000

/** An image that exports start from, made of packages of this machine's own archive instead of downloaded. */
export interface BaseImage {
  /** Name under which exports ask for it. */
  readonly name: string
  readonly arguments: readonly string[]
  /** What the image itself says, as podman import takes it. */
  readonly changes: readonly string[]
}

/** Programs without which not even a shell runs: nothing but the libraries. */
const distrolessPackages = ['base-files', 'libc6', 'libgcc-s1', 'libgomp1', 'libssl3', 'libstdc++6', 'netbase', 'tzdata']

const slim: BaseImage = { name: 'docker.io/library/debian:12-slim', arguments: ['--variant=minbase'], changes: [] }

const distroless: BaseImage = {
  name: 'gcr.io/distroless/cc-debian12:nonroot',
  arguments: ['--variant=extract', `--include=${distrolessPackages.join(',')}`],
  changes: ['USER 65532'],
}

/** Debian's Prometheus, at the places where the image of its makers has it, with a `wget` of busybox as there. */
const prometheus = (name: string): BaseImage => ({
  name,
  arguments: [
    '--variant=minbase',
    '--include=prometheus,busybox',
    '--customize-hook=ln -s busybox "$1/bin/wget"; mkdir "$1/prometheus"; chown 65534:65534 "$1/prometheus"',
  ],
  changes: ['ENTRYPOINT ["/bin/prometheus"]', 'USER 65534', 'WORKDIR /prometheus'],
})

export const baseImages = { slim, distroless, prometheus }

/** The image's files as a tar archive in the cache; made the first time, in half a minute. @throws where the archive cannot be reached */
export async function baseImageFile(image: BaseImage): Promise<string> {
  const source = arm64PackageSource()
  if (source?.distribution !== 'debian') throw new Error('no package archive of Debian is set up for apt here')
  const key = createHash('sha256')
    .update(JSON.stringify([image, source.release]))
    .digest('hex')
    .slice(0, 16)
  const folder = join(cacheDirectory(), 'test-containers')
  const path = join(folder, `${key}.tar`)
  mkdirSync(folder, { recursive: true })
  await withProcessLock(`${path}.lock`, async () => {
    if (existsSync(path)) return
    const part = join(folder, `${key}.part.tar`)
    rmSync(part, { force: true })
    await withStep(`base image ${image.name}`, async () => {
      const args = ['--mode=root', ...image.arguments, source.release, part, source.line]
      await promisify(execFile)('mmdebstrap', args, { timeout: buildTimeoutMs, maxBuffer: 16 << 20 })
    })
    renameSync(part, path)
  })
  return path
}
