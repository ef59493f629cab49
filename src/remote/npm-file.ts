import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { cancelledError } from '../platform/cancellation.ts'
import { shownText } from './shown-text.ts'
import { openTarMember } from './tar-member.ts'

/** A file of an npm package for another platform than this computer's: npm's own lock file does not bring those. */
export interface NpmFile {
  /** `name@version`. */
  readonly spec: string
  /** Hash of exactly the tarball that was tried out, as npm writes it. */
  readonly integrity: string
  /** Path of the file in it. */
  readonly member: string
  /** How messages call it: "Node for this kind of device". */
  readonly what: string
}

/** Program and first arguments that start npm. */
export type NpmProgram = readonly [program: string, ...args: string[]]

/** 50 MB at 125 kB/s. */
const fetchTimeoutMs = 400_000

/**
 * `npm pack` of a package, its hash checked, opened at one of its files. The tarball is gone when the stream has ended.
 * @throws EdgesmithError DEVICE_UNSUPPORTED (npm missing, registry not reached), BUNDLE_CORRUPT (other bytes than expected), JOB_CANCELLED
 */
export async function fetchNpmFile(
  { spec, integrity, member, what }: NpmFile,
  npm: NpmProgram,
  cacheFolder: string,
  reporter?: JobReporter,
  signal?: AbortSignal,
): Promise<Readable> {
  reporter?.log(`Fetching ${spec} from the npm registry (once)`)
  const folder = await mkdtemp(join(cacheFolder, 'fetch-'))
  try {
    const name = await pack(npm, spec, what, folder, signal)
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
    const content = openTarMember(createReadStream(tarball), member, spec)
    content.once('close', () => void rm(folder, { recursive: true, force: true }))
    return content
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Answers the file name of the tarball in `folder`. */
function pack(npm: NpmProgram, spec: string, what: string, folder: string, signal: AbortSignal | undefined): Promise<string> {
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
      if (signal?.aborted) return reject(cancelledError())
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
          new EdgesmithError('DEVICE_UNSUPPORTED', `${what} is not on this computer, and could not be fetched: ${reason}`, {
            hint: `Once, with a network: npm pack ${spec} must work. Afterwards none is needed.`,
            details: { spec },
          }),
        )
      }
    })
  })
}
