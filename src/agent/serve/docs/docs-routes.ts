import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { RequestContext } from '../exchange.ts'
import type { Answer } from '../http-answer.ts'
import type { Route } from '../service-http.ts'
import { type DocsFiles, docsFilesOf } from './docs-files.ts'
import { startDocsPage } from './docs-page-script.ts'

const pageHtml = ({ script, style }: DocsFiles): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css?${style.hash}">
<link rel="stylesheet" href="/docs/page.css">
<script src="/docs/swagger-ui.js?${script.hash}" defer></script>
<script src="/docs/page.js" defer></script>
</head>
<body>
<form id="access" hidden>
<h1>API</h1>
<p>What this service answers, from its own description. It needs the access token.</p>
<label for="token">Access token</label>
<input id="token" type="password" autocomplete="off" required>
<button>Show</button>
<p id="said" role="alert"></p>
</form>
<div id="api"></div>
</body>
</html>
`

const PAGE_STYLE = `body { margin: 0 }
#access { max-width: 40rem; margin: 4rem auto; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif }
#access input, #access button { font: inherit; padding: .25rem .5rem }
#said { color: #c22 }
html.dark-mode #access { color: #e4e6e6 }
html.dark-mode #said { color: #f66 }
`

/** The page's own source, given what it needs of the browser. */
const PAGE_SCRIPT = `(${startDocsPage.toString()})({
  byId: (id) => document.getElementById(id),
  fetch: (path, options) => fetch(path, options),
  storage: sessionStorage,
  setTitle: (title) => { document.title = title },
  setDark: (isDark) => document.documentElement.classList.toggle('dark-mode', isDark),
  darkScheme: matchMedia('(prefers-color-scheme: dark)'),
  SwaggerUIBundle,
})
`

/** Only its own files, no inline script, in no frame: what the page shows comes from the model's metadata. Swagger UI's pictures are in its style. */
const SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const SECURITY = { 'content-security-policy': SECURITY_POLICY, 'referrer-policy': 'no-referrer' }
const CACHING = { 'cache-control': 'public, max-age=31536000, immutable', vary: 'accept-encoding' }

const inflate = promisify(gunzip)

/**
 * The page at /docs (Swagger UI) and its files. They say nothing of model or machine and need no token: a browser that opens a page cannot send one.
 * @param folder of the agent, where Swagger UI lies
 */
export function docsRoutes(folder: string): readonly (readonly [string, Route])[] {
  const files = docsFilesOf(folder)
  const route = (handle: Route['handle']): Route => ({ method: 'GET', isPublic: true, handle })
  const text = (body: string, type: string): Answer => ({ status: 200, body, contentType: `${type}; charset=utf-8`, headers: SECURITY })
  const library = (name: keyof DocsFiles, type: string): Route =>
    route(async (_, context): Promise<Answer> => {
      const { gzip } = (await files())[name]
      const common = { status: 200, contentType: `${type}; charset=utf-8` }
      return takesGzip(context)
        ? { ...common, body: gzip, headers: { ...CACHING, 'content-encoding': 'gzip' } }
        : { ...common, body: await inflate(gzip), headers: CACHING }
    })
  return [
    ['/docs', route(async () => text(pageHtml(await files()), 'text/html'))],
    ['/docs/page.css', route(() => text(PAGE_STYLE, 'text/css'))],
    ['/docs/page.js', route(() => text(PAGE_SCRIPT, 'text/javascript'))],
    ['/docs/swagger-ui.css', library('style', 'text/css')],
    ['/docs/swagger-ui.js', library('script', 'text/javascript')],
  ]
}

function takesGzip(context: RequestContext): boolean {
  return /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(context.header('accept-encoding') ?? '')
}
