import type { Route } from '../service-http.ts'
import { docsPage } from './docs-page-script.ts'

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<link rel="stylesheet" href="/docs/page.css">
<script src="/docs/page.js" defer></script>
</head>
<body>
<header>
<h1 id="title">API</h1>
<p id="about">What this service answers, from its own description. It needs the access token.</p>
<form id="access">
<label>Access token <input id="token" type="password" autocomplete="off" required></label>
<button>Show</button>
<span id="said" role="status"></span>
</form>
</header>
<main id="operations"></main>
</body>
</html>
`

const CSS = `:root { color-scheme: light dark; --line: #8885; --soft: #8882; --accent: #1c6fb8 }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 15px/1.5 system-ui, sans-serif }
h1 { margin: 0 0 .5rem } h2 { margin: 2rem 0 0 } h4 { margin: 1rem 0 .25rem }
.note, #about { opacity: .75 }
#access { display: flex; gap: .5rem; align-items: center; flex-wrap: wrap }
#said { color: #c22 }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 1rem }
details[open] { padding-bottom: 1rem }
summary { cursor: pointer; padding: .5rem 0 }
.method { display: inline-block; min-width: 3.5rem; color: var(--accent) }
.post .method { color: #2a8a4a }
summary code { margin-right: .75rem }
.schema { max-height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: collapse; width: 100% }
td { border-bottom: 1px solid var(--soft); padding: .15rem .5rem; vertical-align: top; overflow-wrap: anywhere }
.name { font-family: ui-monospace, monospace }
textarea { box-sizing: border-box; width: 100%; min-height: 10rem; font: 13px/1.4 ui-monospace, monospace }
.result { background: var(--soft); border-radius: 6px; padding: .5rem; overflow: auto; max-height: 24rem; white-space: pre-wrap; overflow-wrap: anywhere }
.result:empty { display: none }
`

/** The page's own source, given what it needs of the browser. */
const SCRIPT = `(${docsPage.toString()})({
  element: (tag) => document.createElement(tag),
  byId: (id) => document.getElementById(id),
  fetch: (path, options) => fetch(path, options),
  storage: sessionStorage,
})
`

/** Only its own files, no inline script, in no frame: what the page shows comes from the model's metadata. */
const SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page at /docs and its files. They say nothing of model or machine and need no token: a browser that opens a page cannot send one. */
export function docsRoutes(): readonly (readonly [string, Route])[] {
  const file = (body: string, contentType: string): Route => {
    const answer = {
      status: 200,
      body,
      contentType: `${contentType}; charset=utf-8`,
      headers: { 'content-security-policy': SECURITY_POLICY, 'referrer-policy': 'no-referrer' },
    }
    return { method: 'GET', isPublic: true, handle: () => answer }
  }
  return [
    ['/docs', file(HTML, 'text/html')],
    ['/docs/page.css', file(CSS, 'text/css')],
    ['/docs/page.js', file(SCRIPT, 'text/javascript')],
  ]
}
