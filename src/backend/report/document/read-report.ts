import { EdgesmithError } from '../../../contract/errors.ts'
import { type ReportDocument, reportDocumentSchema } from '../../../contract/report.ts'
import { isNestedDeeperThan } from '../../../core/json-depth.ts'
import { readWholeFile } from '../../../platform/read-file.ts'
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
  // The decoder passes over a byte order mark.
  return parseReport(new TextDecoder().decode(await readWholeFile(path, path, MAX_BYTES)), path)
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
