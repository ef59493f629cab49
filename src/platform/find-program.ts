import { accessSync, constants } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/**
 * Absolute path of a program: in the folders of a PATH (relative ones are passed over), then in others; undefined where there is none that
 * this user may run.
 */
export function findProgram(name: string, path: string, others: readonly string[]): string | undefined {
  const folders = [...path.split(delimiter).filter(isAbsolute), ...others]
  return folders.map((folder) => join(folder, name)).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
