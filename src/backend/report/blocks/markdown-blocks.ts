import { plainSpan } from '../plain-text.ts'
import { SENTENCE_LIMIT } from './html.ts'
import type { Block, Column, Inline, TableRow } from './report-block.ts'

/**
 * Blocks as Markdown (CommonMark with the tables of GitHub): drawings are replaced by their numbers, and no text from a model or
 * device can become a heading, link, image, table cell or HTML.
 */
export function markdownBlocks(blocks: readonly Block[]): string {
  return blocks
    .map(markdownBlock)
    .filter((part) => part !== '')
    .join('\n\n')
}

function markdownBlock(block: Block): string {
  switch (block.kind) {
    case 'heading':
      return `${'#'.repeat(block.level)} ${inline(block.text)}`
    case 'text': {
      const content = inline(block.text)
      if (block.tone === 'headline') return `**${content}**`
      return block.tone === 'warning' ? `> ⚠ ${content}` : content
    }
    case 'list':
      return block.items
        .map((item, index) => `${block.ordered ? `${index + 1}.` : '-'} ${block.tone === 'warning' ? '⚠ ' : ''}${inline(item)}`)
        .join('\n')
    case 'table':
      return tableText(block.columns, block.rows)
    case 'facts':
      return block.rows.map(([name, value]) => `- ${escapeMarkdown(name)}: ${inline(value)}`).join('\n')
    case 'terms':
      return block.rows.map(([term, meaning]) => `- **${escapeMarkdown(term)}**: ${escapeMarkdown(meaning)}`).join('\n')
    case 'figure':
      if (!block.numbers) return ''
      return `${block.title === undefined ? '' : `### ${escapeMarkdown(block.title)}\n\n`}${markdownBlock(block.numbers)}`
    case 'folded':
      return `**${escapeMarkdown(block.title)}**\n\n${markdownBlocks(block.blocks)}`
    case 'together':
      return markdownBlocks(block.blocks)
  }
}

function tableText(columns: readonly Column[], rows: readonly TableRow[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(columns.map(({ title }) => inline(title) || ' ')),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) =>
      line(
        'group' in row
          ? columns.map((_, index) => (index === 0 ? `**${escapeMarkdown(row.group)}**` : ' '))
          : (row as readonly Inline[]).map((cell) => inline(cell) || ' '),
      ),
    ),
  ].join('\n')
}

function inline(content: Inline): string {
  if (typeof content === 'string') return escapeMarkdown(content)
  if (Array.isArray(content)) return (content as readonly Inline[]).map(inline).join('')
  const part = content as Exclude<Inline, string | readonly Inline[]>
  switch (part.kind) {
    case 'chip':
      return escapeMarkdown(part.text)
    case 'badge':
      return `${part.series + 1}`
    case 'code': {
      // Inside a code span nothing but a backtick or the end of a table cell can do harm. A backslash would escape our own before a bar.
      const content = plainSpan(part.text, SENTENCE_LIMIT).replace(/`/g, "'").replace(/\\\|/g, '\\ |').replace(/\|/g, '\\|')
      return content === '' ? '' : `\`${content}\``
    }
    case 'strong':
      return `**${escapeMarkdown(part.text)}**`
    case 'line-break':
      return ' '
  }
}

/** What CommonMark and GitHub give a meaning to is escaped, and as little else as possible: the source is read too. */
function escapeMarkdown(text: string): string {
  return (
    plainSpan(text, SENTENCE_LIMIT)
      .replace(/[\\`*_[\]<|~$]/g, '\\$&')
      .replace(/&(?=#?\w+;)/g, '\\&')
      // Addresses would become links by themselves.
      .replace(/:\/\//g, ':\\//')
      .replace(/\bwww\./gi, (found) => `${found.slice(0, -1)}\\.`)
      // These mean something at the beginning of a line only.
      .replace(/^(\s*\d+)([.)])(?=\s|$)/, '$1\\$2')
      .replace(/^\s*[-+=>#](?=.)/, (found) => `${found.slice(0, -1)}\\${found.slice(-1)}`)
  )
}
