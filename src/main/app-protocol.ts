import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { protocol } from 'electron'
import type { Answer } from './backend-supervisor.ts'
import { isReportPath, reportPage } from './report-pages.ts'

/** The window's own origin: nothing is ever loaded from elsewhere. */
export const APP_ORIGIN = 'app://edgesmith'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Must run before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }])
}

/**
 * Serves the built renderer under `app://edgesmith/`, with a strict content security policy. Style elements made at run time
 * (Mantine) carry a nonce that is new for every load; it is written into the page's `style-nonce` meta element. Under
 * `app://edgesmith/report/<id>` lie the stored reports, each with a policy of its own, for sandboxed frames of our page.
 *
 * @param call asks the backend
 */
export function serveRenderer(folder: string, call: (name: string, input: unknown) => Promise<Answer>): void {
  protocol.handle('app', async (request) => {
    const url = new URL(request.url)
    if (url.host !== 'edgesmith') return new Response('not found', { status: 404 })
    if (isReportPath(url.pathname)) return reportPage(url, call)
    const path = normalize(join(folder, decodeURIComponent(url.pathname)))
    if (!path.startsWith(folder + sep)) return new Response('not found', { status: 404 })
    const type = types[extname(path)]
    const bytes = type === undefined ? undefined : await readFile(path).catch(() => undefined)
    if (type === undefined || bytes === undefined) return new Response('not found', { status: 404 })
    if (!path.endsWith('.html'))
      return new Response(new Uint8Array(bytes), { headers: { 'content-type': type, 'x-content-type-options': 'nosniff' } })
    const nonce = randomBytes(16).toString('base64')
    return new Response(bytes.toString('utf8').replaceAll('__NONCE__', nonce), {
      headers: { 'content-type': type, 'content-security-policy': contentSecurityPolicy(nonce), 'x-content-type-options': 'nosniff' },
    })
  })
}

function contentSecurityPolicy(nonce: string): string {
  return [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self' 'nonce-${nonce}'`,
    // Charts and progress bars set style attributes through the DOM, which a policy does not restrict; none are in the markup.
    `img-src 'self' data:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    // Stored reports, in sandboxed frames.
    `frame-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ')
}
