import { open } from 'node:fs/promises'
import { EdgesmithError } from '../../../contract/errors.ts'
import { type ReportDocument, reportDocumentSchema } from '../../../contract/report.ts'
import { isNestedDeeperThan } from '../../../core/json-depth.ts'
import { checkReport } from './check-report.ts'

/** Larger files are not read: reports of hundreds of runs have a few megabytes. */
const MAX_BYTES = 100e6
/** Levels of the document's own nesting, with room for recipes. */
const MAX_DEPTH = 32

/**
 * Reads a report that was written as .json, by anybody: form, limits and inner consistency are checked before anything is kept.
 *
 * @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `TOO_LARGE`, `REPORT_INVALID` with the place in the file and the reason
 */
export async function readReport(path: string): Promise<ReportDocument> {
  return parseReport(await readText(path), path)
}

/**
 * The same for text that is already there.
 *
 * @param name what messages call it
 */
export function parseReport(content: string, name: string): ReportDocument {
  const invalid = (reason: string) =>
    new EdgesmithError('REPORT_INVALID', `${name} is not a report of Edgesmith: ${reason}`, {
      hint: 'Reports are imported from the .json that edgesmith report --out report.json writes.',
    })
  if (isNestedDeeperThan(content, MAX_DEPTH)) throw invalid(`it nests deeper than ${MAX_DEPTH} levels`)
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch {
    throw invalid('it is not JSON')
  }
  if (!isReport(value)) throw invalid('it does not say "format": "edgesmith-report"')
  if (value.version !== 1) throw invalid(`version 1 expected, found ${JSON.stringify(value.version)?.slice(0, 40) ?? 'none'}`)
  const parsed = reportDocumentSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw invalid(`${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'not of the documented form'}`)
  }
  const problem = checkReport(parsed.data)
  if (problem) throw invalid(`${problem.place}: ${problem.reason}`)
  return parsed.data
}

function isReport(value: unknown): value is { readonly format: unknown; readonly version?: unknown } {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === 'edgesmith-report'
}

async function readText(path: string): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw readError(error, path)
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new EdgesmithError('FILE_UNREADABLE', `${path} is not a file`)
    if (stats.size > MAX_BYTES)
      throw new EdgesmithError('TOO_LARGE', `${path} has ${stats.size} bytes; reports of at most ${MAX_BYTES} are read`)
    const bytes = Buffer.alloc(stats.size)
    const { bytesRead } = await file.read(bytes, 0, stats.size, 0)
    return new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

function readError(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return new EdgesmithError('FILE_NOT_FOUND', `There is no file ${path}`)
  if (code === 'EACCES' || code === 'EPERM') return new EdgesmithError('FILE_UNREADABLE', `There is no right to read ${path}`)
  return error
}
