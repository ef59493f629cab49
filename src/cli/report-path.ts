import { extname, resolve } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'
import { reportFormatSchema } from '../contract/report.ts'

/** Absolute path of a report to write. @throws EdgesmithError `USAGE` for an ending that is no format */
export function reportPath(folder: string, path: string): string {
  const ending = extname(path).slice(1).toLowerCase()
  if (reportFormatSchema.safeParse(ending).success) return resolve(folder, path)
  const known = reportFormatSchema.options.map((format) => `.${format}`)
  throw new EdgesmithError('USAGE', `Reports are written as ${known.slice(0, -1).join(', ')} or ${known.at(-1)}, found "${path}"`, {
    hint: 'The ending of the file name decides the format.',
  })
}
