import { reportFormatSchema } from '../contract/report.ts'

/**
 * The path of a report with an ending that names a format: some systems' dialogs do not add one. A path without one gets
 * that of the proposed name (`.html` where that has none either).
 */
export function withReportEnding(path: string, proposed: string): string {
  return endingOf(path) === undefined ? `${path}.${endingOf(proposed) ?? 'html'}` : path
}

function endingOf(path: string): string | undefined {
  const parsed = reportFormatSchema.safeParse(/\.([a-z]+)$/i.exec(path)?.[1]?.toLowerCase())
  return parsed.success ? parsed.data : undefined
}
