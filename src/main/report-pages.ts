import type { Answer } from './backend-supervisor.ts'

const uuid = /^\/report\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i

/** Nothing but the page's own style: no script, no frame, no request. Only our own page may show it. */
const policy = [
  `default-src 'none'`,
  `style-src 'unsafe-inline'`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'self'`,
  // Also where it is not in a sandboxed frame: an origin of its own, no scripts, no popups.
  'sandbox',
].join('; ')

/** Whether an address of our origin is that of a stored report: `/report/<id>`, with `?theme=light` or `dark`. */
export function isReportPath(pathname: string): boolean {
  return pathname.startsWith('/report/')
}

/**
 * A stored report as a page of its own for a sandboxed frame, rendered by the backend. What goes wrong becomes a page that says so.
 *
 * @param call asks the backend
 */
export async function reportPage(url: URL, call: (name: string, input: unknown) => Promise<Answer>): Promise<Response> {
  const id = uuid.exec(url.pathname)?.[1]
  if (id === undefined) return page('<!doctype html><title>Report</title><p>There is no such report.</p>', 404)
  const theme = url.searchParams.get('theme')
  const answer = await call('reports.render', { id, ...(theme === 'light' || theme === 'dark' ? { theme } : {}) })
  if (answer.ok && isRendered(answer.output)) return page(answer.output.html, 200)
  const message = answer.ok ? 'the backend sent no page' : answer.error.message
  return page(`<!doctype html><title>Report</title><p>This report cannot be shown: ${escaped(message)}</p>`, 500)
}

function isRendered(output: unknown): output is { html: string } {
  return typeof output === 'object' && output !== null && 'html' in output && typeof output.html === 'string'
}

function page(html: string, status: number): Response {
  return new Response(html, {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    },
  })
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
