import type { ReportFormat } from '../../../contract/report.ts'

/** Formats of a report and what each is for. */
export const reportFormats: readonly { readonly format: ReportFormat; readonly label: string }[] = [
  { format: 'html', label: 'HTML, for reading anywhere' },
  { format: 'pdf', label: 'PDF, for printing' },
  { format: 'md', label: 'Markdown, for a repository' },
  { format: 'json', label: 'JSON, to import again' },
  { format: 'csv', label: 'CSV, for a spreadsheet' },
]

/** A file name for a report: its title without what file systems refuse. */
export function reportFileName(title: string, format: ReportFormat): string {
  const stem = title
    .replace(/[^\p{L}\p{N} ._+()-]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[ .]+|[ .]+$/g, '')
    .slice(0, 120)
  return `${stem || 'report'}.${format}`
}
