import { shellQuote } from '../../../../core/shell-quote.ts'

/** A request as programs send it. */
export interface SnippetRequest {
  /** Without a path. */
  readonly url: string
  /** JSON, or an image file that is sent as it is. */
  readonly body: { readonly json: unknown } | { readonly contentType: string; readonly fileName: string }
}

/** Bodies over this many characters are read from a file. */
const LONGEST_INLINE = 2000

/** Languages a request can be copied in. */
export const snippetLanguages = ['curl', 'Python', 'JavaScript'] as const
export type SnippetLanguage = (typeof snippetLanguages)[number]

/** A program that sends the request with what its language brings along; the token is taken from the environment. */
export function requestSnippet(language: SnippetLanguage, { url, body }: SnippetRequest): string {
  const address = `${url}/predict`
  const text = 'json' in body ? JSON.stringify(body.json) : null
  const file = 'json' in body ? ((text?.length ?? 0) > LONGEST_INLINE ? 'body.json' : null) : body.fileName
  const type = 'json' in body ? 'application/json' : body.contentType
  const json = 'json' in body ? body.json : null
  if (language === 'curl') return curl(address, type, file === null ? shellQuote(text ?? '') : shellQuote(`@${file}`))
  if (language === 'Python') return python(address, type, file, json)
  return javaScript(address, type, file, json)
}

function curl(address: string, type: string, payload: string): string {
  return [
    `curl ${address} \\`,
    '  -H "Authorization: Bearer $TOKEN" \\',
    `  -H 'Content-Type: ${type}' \\`,
    `  --data-binary ${payload}`,
  ].join('\n')
}

function python(address: string, type: string, file: string | null, json: unknown): string {
  const body = file === null ? `json.dumps(${pythonLiteral(json)}).encode()` : `open(${JSON.stringify(file)}, "rb").read()`
  return [
    'import json, os, urllib.request',
    '',
    `body = ${body}`,
    `request = urllib.request.Request("${address}", body, {`,
    '    "Authorization": "Bearer " + os.environ["TOKEN"],',
    `    "Content-Type": "${type}",`,
    '})',
    'print(json.load(urllib.request.urlopen(request)))',
  ].join('\n')
}

function javaScript(address: string, type: string, file: string | null, json: unknown): string {
  return [
    ...(file === null ? [] : ["import { readFileSync } from 'node:fs'", '']),
    `const response = await fetch('${address}', {`,
    "  method: 'POST',",
    `  headers: { authorization: \`Bearer \${process.env.TOKEN}\`, 'content-type': '${type}' },`,
    `  body: ${file === null ? `JSON.stringify(${JSON.stringify(json)})` : `readFileSync(${JSON.stringify(file)})`},`,
    '})',
    'console.log(await response.json())',
  ].join('\n')
}

/** A value that came out of JSON, as Python writes it. JSON's strings are Python's. */
export function pythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`
  if (typeof value !== 'object') return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)}: ${pythonLiteral(entry)}`)
    .join(', ')}}`
}
