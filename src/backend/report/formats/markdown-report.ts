import type { ReportDocument } from '../../../contract/report.ts'
import { markdownBlocks } from '../blocks/markdown-blocks.ts'
import type { Block } from '../blocks/report-block.ts'
import { reportContent } from '../report-content.ts'

/** A report as Markdown that reads well on its own: verdicts and tables, numbers in place of the charts. */
export function markdownReport(document: ReportDocument): string {
  const { title, edgesmithVersion, createdAt } = document
  const head: Block = { kind: 'text', text: `Written by Edgesmith ${edgesmithVersion} at ${createdAt}` }
  const heading = markdownBlocks([{ kind: 'heading', level: 2, text: title }]).slice(1)
  return `${heading}\n\n${markdownBlocks([head, ...reportContent(document)])}\n`
}
