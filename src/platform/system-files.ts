import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SystemFiles } from '../core/telemetry/system-files.ts'

/** Folder under which /proc and /sys are looked for; tests put a made-up machine there. */
export type SystemRoot = string

/** Text of a small file the system describes itself in, trimmed; `undefined` where there is none (other systems, no right to read). */
export function readSystemFile(root: SystemRoot, path: string): string | undefined {
  try {
    // Device-tree texts end in NUL characters.
    return readFileSync(join(root, path), 'utf8').replaceAll('\0', '').trim()
  } catch {
    return undefined
  }
}

/** A file that holds one number; `undefined` where there is none. */
export function readSystemNumber(root: SystemRoot, path: string): number | undefined {
  const text = readSystemFile(root, path)
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}

/** Names in a folder that match, in order; none where there is no such folder. */
export function listSystemFolder(root: SystemRoot, path: string, pattern: RegExp): string[] {
  try {
    return readdirSync(join(root, path))
      .filter((name) => pattern.test(name))
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  } catch {
    return []
  }
}

/** Those files for the core. */
export function rootedFiles(root: SystemRoot): SystemFiles {
  return { read: (path) => readSystemFile(root, path), list: (folder) => listSystemFolder(root, folder, /./) }
}
