import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SystemFiles } from '../core/telemetry/system-files.ts'

/** Files of /proc and /sys under a folder. */
export function filesUnder(root: string): SystemFiles {
  return {
    read: (path) => {
      try {
        return readFileSync(join(root, path), 'utf8').replaceAll('\0', '').trim()
      } catch {
        return undefined
      }
    },
    list: (folder) => {
      try {
        return readdirSync(join(root, folder)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      } catch {
        return []
      }
    },
  }
}
