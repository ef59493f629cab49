import { createHash } from 'node:crypto'
import type { ReportDocument } from '../../../contract/report.ts'
import { embeddedJson, html, Markup } from '../blocks/html.ts'
import { htmlBlocks } from '../blocks/html-blocks.ts'
import { reportContent } from '../report-content.ts'
import { reportStyle } from './report-style.ts'

/** How a page is to look. */
export interface PageLook {
  /** Without one it follows the reader's system. */
  readonly theme?: 'light' | 'dark' | undefined
  /** For paper, on which nothing can be opened. */
  readonly unfolded?: boolean
  /** Leaves the document out of the page, where it is only looked at. */
  readonly withoutDocument?: boolean
}

/**
 * A report as one HTML file that needs nothing else: style, charts (SVG) and the document itself (JSON in
 * `<script type="application/json" id="edgesmith-report">`) are inside, no script runs, and its Content-Security-Policy lets it
 * load nothing. The same document gives the same text.
 */
export function htmlReport(document: ReportDocument, { theme, unfolded = false, withoutDocument = false }: PageLook = {}): string {
  // Taken over the exact text of the style element: not even a style that came in with a name could apply.
  const styleHash = createHash('sha256').update(reportStyle).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en"${theme !== undefined && html` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="Edgesmith ${document.edgesmithVersion}">
<title>${document.title}</title>
<style>${new Markup(reportStyle)}</style>
</head>
<body>
<header><h1>${document.title}</h1><p class="meta">Written by Edgesmith ${document.edgesmithVersion} at ${document.createdAt}</p></header>
<main>
${htmlBlocks(reportContent(document), unfolded)}</main>
${
  !withoutDocument &&
  html`<script type="application/json" id="edgesmith-report">${embeddedJson(document)}</script>
`
}</body>
</html>
`.text
}
