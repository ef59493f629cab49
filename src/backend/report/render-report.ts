import type { ReportDocument, ReportFormat } from '../../contract/report.ts'
import { csvReport } from './formats/csv-report.ts'
import { htmlReport } from './formats/html-report.ts'
import { markdownReport } from './formats/markdown-report.ts'

/** A report in every format but PDF, which is the HTML printed. */
export function renderReport(document: ReportDocument, format: Exclude<ReportFormat, 'pdf'>): string {
  switch (format) {
    case 'html':
      return htmlReport(document)
    case 'md':
      return markdownReport(document)
    case 'csv':
      return csvReport(document)
    case 'json':
      return `${JSON.stringify(document, null, 1)}\n`
  }
}
