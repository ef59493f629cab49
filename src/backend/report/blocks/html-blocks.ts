import { html, type Markup, markupOf } from './html.ts'
import type { Block, Column, Inline, TableRow } from './report-block.ts'

/** Colours of series are used again after this many. */
const SERIES = 8

/**
 * Blocks as HTML.
 *
 * @param unfolded whether what is closed at first is open instead, for paper
 */
export function htmlBlocks(blocks: readonly Block[], unfolded: boolean): Markup {
  return html`${blocks.map((block) => html`${htmlBlock(block, unfolded)}\n`)}`
}

function htmlBlock(block: Block, unfolded: boolean): Markup {
  switch (block.kind) {
    case 'heading':
      return headline(block.level, block.text)
    case 'text':
      return block.tone ? html`<p class="${block.tone}">${inline(block.text)}</p>` : html`<p>${inline(block.text)}</p>`
    case 'list': {
      const items = block.items.map((item) =>
        block.tone ? html`<li class="${block.tone}">${inline(item)}</li>` : html`<li>${inline(item)}</li>`,
      )
      return block.ordered ? html`<ol>${items}</ol>` : html`<ul>${items}</ul>`
    }
    case 'table':
      return tableMarkup(block.columns, block.rows, block.look)
    case 'facts':
      return html`<table class="facts">${block.rows.map(([name, value]) => html`<tr><th>${name}</th><td>${inline(value)}</td></tr>`)}</table>`
    case 'terms':
      return html`<dl>${block.rows.map(([term, meaning]) => html`<dt>${term}</dt><dd>${markupOf(meaning)}</dd>`)}</dl>`
    case 'figure':
      return html`${block.title !== undefined && html`<h3>${block.title}</h3>`}<figure>${block.drawing}${block.caption !== undefined && html`<figcaption>${markupOf(block.caption)}</figcaption>`}</figure>`
    case 'folded':
      return html`<details${unfolded && html` open`}><summary>${block.title}</summary>${htmlBlocks(block.blocks, unfolded)}</details>`
    case 'together':
      return html`<section class="together">${htmlBlocks(block.blocks, unfolded)}</section>`
  }
}

function headline(level: 2 | 3 | 4, content: Inline): Markup {
  if (level === 2) return html`<h2>${inline(content)}</h2>`
  return level === 3 ? html`<h3>${inline(content)}</h3>` : html`<h4>${inline(content)}</h4>`
}

function tableMarkup(columns: readonly Column[], rows: readonly TableRow[], look: 'results' | undefined): Markup {
  const cells = (row: readonly Inline[]) =>
    row.map((cell, index) => {
      if (look === 'results' && index === 0) return html`<th>${inline(cell)}</th>`
      return columns[index]?.align === 'right' ? html`<td class="number">${inline(cell)}</td>` : html`<td>${inline(cell)}</td>`
    })
  return html`<div class="wide"><table class="${look ?? 'plain'}"><thead><tr>${columns.map(({ title, align }) =>
    align === 'right' ? html`<th class="number">${inline(title)}</th>` : html`<th>${inline(title)}</th>`,
  )}</tr></thead><tbody>${rows.map((row) =>
    'group' in row
      ? html`<tr class="group"><th colspan="${columns.length}">${row.group}</th></tr>`
      : html`<tr>${cells(row as readonly Inline[])}</tr>`,
  )}</tbody></table></div>`
}

function inline(content: Inline): Markup {
  if (typeof content === 'string') return markupOf(content)
  if (isList(content)) return html`${content.map(inline)}`
  switch (content.kind) {
    case 'chip':
      return html`<span class="chip ${content.tone}">${content.text}</span>`
    case 'badge':
      return html`<span class="badge series-${content.series % SERIES}">${content.series + 1}</span>`
    case 'code':
      return html`<code>${markupOf(content.text)}</code>`
    case 'strong':
      return html`<b>${content.text}</b>`
    case 'line-break':
      return html`<br>`
  }
}

function isList(content: Inline): content is readonly Inline[] {
  return Array.isArray(content)
}
