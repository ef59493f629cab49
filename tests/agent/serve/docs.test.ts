import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { docsRoutes } from '../../../src/agent/serve/docs/docs-routes.ts'
import { docsFiles } from '../../../src/contract/docs-files.ts'
import { onnxRuntime } from '../../../src/engine/runtimes/onnx-runtime.ts'
import { linearModel } from '../../engine/measure/small-models.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-docs-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A service whose agent lies in the folder. What a browser makes of the page: tests/e2e/docs.spec.ts. */
const startThere = () => start(model, { modelName: 'Secret model' }, {}, onnxRuntime, { routes: new Map(docsRoutes(folder)) })

function writeLibrary(script = 'script'): void {
  writeFileSync(join(folder, docsFiles.script), gzipSync(script))
  writeFileSync(join(folder, docsFiles.style), gzipSync('style'))
}

describe('/docs', () => {
  it('is a page of its own files, without a token, that may run nothing else', async () => {
    writeLibrary()
    const { send } = await startThere()
    const page = await send('/docs', { anonymous: true })
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'; script-src 'self'; style-src 'self';"),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    const linked = [...(page.body as string).matchAll(/(?:href|src)="(\/[^"]+)"/g)].map(([, path]) => path as string)
    expect(linked.map((path) => path.replace(/\?[0-9a-f]{16}$/, '?HASH'))).toEqual([
      '/docs/swagger-ui.css?HASH',
      '/docs/page.css',
      '/docs/swagger-ui.js?HASH',
      '/docs/page.js',
    ])
    expect(page.body).not.toMatch(/<script>|style=|\son\w+=|https?:/)
    const files = await Promise.all(linked.map((path) => send(path, { anonymous: true })))
    expect(files.map(({ status, headers }) => [status, headers['content-type'], headers['x-content-type-options']])).toEqual([
      [200, 'text/css; charset=utf-8', 'nosniff'],
      [200, 'text/css; charset=utf-8', 'nosniff'],
      [200, 'text/javascript; charset=utf-8', 'nosniff'],
      [200, 'text/javascript; charset=utf-8', 'nosniff'],
    ])
    expect([page, ...files].map(({ body }) => body).join()).not.toContain('Secret model')
    expect((await send('/docs', { anonymous: true, headers: { host: 'evil.example' } })).status).toBe(421)
    expect((await send('/docs', { method: 'POST', body: {} })).status).toBe(405)
  })

  it('sends Swagger UI as it is stored, under an address that changes with it', async () => {
    writeLibrary()
    const { send } = await startThere()
    const asked = (encoding: string) => send('/docs/swagger-ui.js', { anonymous: true, headers: { 'accept-encoding': encoding } })
    const stored = await asked('br, gzip')
    expect(stored.bytes).toEqual(gzipSync('script'))
    expect(stored.headers).toMatchObject({
      'content-encoding': 'gzip',
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
    })
    for (const encoding of ['br', 'gzip;q=0', '']) {
      const plain = await asked(encoding)
      expect([plain.body, plain.headers['content-encoding']], encoding).toEqual(['script', undefined])
    }
    const before = (await send('/docs')).body
    writeLibrary('another script')
    const { send: sendLater } = await startThere()
    const after = (await sendLater('/docs')).body
    expect(after).not.toBe(before)
    expect(after.replaceAll(/\?\w+/g, '')).toBe(before.replaceAll(/\?\w+/g, ''))
  })

  it('fails alone where its files are missing, until they are there', async () => {
    const { send, events } = await startThere()
    expect((await send('/docs')).status).toBe(500)
    expect(events.map(({ event }) => event)).toContain('internal')
    expect((await send('/predict', { body: { input: [1, 2] } })).status).toBe(200)
    writeLibrary()
    expect((await send('/docs')).status).toBe(200)
  })
})
