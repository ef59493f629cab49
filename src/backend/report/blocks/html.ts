import { plainLine, plainSpan } from '../plain-text.ts'

/** HTML or SVG that is safe to put into a page: every string in it went through {@link html}. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a template; lists are joined, null and false leave nothing. */
export type MarkupValue = string | number | Markup | null | false | readonly MarkupValue[]

/**
 * Template for HTML and SVG. Strings are made one safe line and escaped, in text as in quoted attributes, so names of models may
 * be anything: html`<td title="${name}">${name}</td>`.
 */
export function html(parts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  let text = parts[0] ?? ''
  values.forEach((value, index) => {
    text += render(value) + (parts[index + 1] ?? '')
  })
  return new Markup(text)
}

/** Longest sentence or explanation that is shown whole; names are cut earlier. */
export const SENTENCE_LIMIT = 4000

/** A sentence or a part of one as markup: escaped like every string of {@link html}, but cut only at {@link SENTENCE_LIMIT}. */
export function markupOf(sentence: string): Markup {
  return new Markup(escapeText(plainSpan(sentence, SENTENCE_LIMIT)))
}

/** A value as JSON inside a script element: no sequence in it can end the element. */
export function embeddedJson(value: unknown): Markup {
  return new Markup(
    JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
}

function render(value: MarkupValue): string {
  if (value === null || value === false) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return escapeText(plainLine(value))
  return value.map(render).join('')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
