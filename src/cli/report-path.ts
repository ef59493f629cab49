import { extname, resolve } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'

/** Formats a report can be written in, by the file's ending. */
const endings = ['.html'] as const

/** Absolute path of a report to write. @throws EdgesmithError `USAGE` for an ending that is no format */
export function reportPath(folder: string, path: string): string {
  const ending = extname(path).toLowerCase()
  if (endings.some((known) => known === ending)) return resolve(folder, path)
  throw new EdgesmithError('USAGE', `This version writes reports as ${endings.join(', ')}, found "${path}"`, {
    hint: 'The ending of the file name decides the format.',
  })
}
