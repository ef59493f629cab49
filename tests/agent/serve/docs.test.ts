import { describe, expect, it } from 'vitest'
import { linearModel } from '../../engine/measure/small-models.ts'
import { TOKEN } from '../service-fixture.ts'
import { type FakeElement, openPage } from './fake-page.ts'
import { runningServices } from './running-services.ts'

const start = runningServices()
const model = linearModel('N', [
  [1, 2, 0],
  [1, 0, 2],
])

describe('/docs', () => {
  it('is a page of its own files, without a token, that may run nothing else', async () => {
    const { send } = await start(model, { modelName: 'Secret model' })
    const page = await send('/docs', { anonymous: true })
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': expect.stringContaining("default-src 'none'; script-src 'self'"),
      'x-content-type-options': 'nosniff',
    })
    const linked = [...(page.body as string).matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path as string)
    expect(linked).toEqual(['/docs/page.css', '/docs/page.js'])
    expect(page.body).not.toMatch(/<script>|style=|\son\w+=|https?:/)
    const files = await Promise.all(linked.map((path) => send(path, { anonymous: true })))
    expect(files.map(({ status, headers }) => [status, headers['content-type']])).toEqual([
      [200, 'text/css; charset=utf-8'],
      [200, 'text/javascript; charset=utf-8'],
    ])
    expect([page, ...files].map(({ body }) => body).join()).not.toContain('Secret model')
    expect((await send('/docs', { anonymous: true, headers: { host: 'evil.example' } })).status).toBe(421)
    expect((await send('/docs', { method: 'POST', body: {} })).status).toBe(405)
  })

  it('shows every operation with its values, and sends what is written into its forms', async () => {
    const fields = [
      { input: 'x', index: 0, name: 'age', min: 18, max: 120 },
      { input: 'x', index: 1, name: 'weight', max: -0.5 },
    ]
    const { send, port } = await start(model, { modelName: 'Ward 7', labels: ['sum', 'a', 'b'], fields })
    const { byId, kept } = openPage((await send('/docs/page.js')).body, port)
    byId('token').value = 'wrong-token-0123456789'
    byId('access').submit()
    await expect.poll(() => byId('said').textContent).toBe('The access token is wrong.')
    byId('token').value = TOKEN
    byId('access').submit()
    await expect.poll(() => byId('title').textContent).toBe('Ward 7 release-1')
    expect([...kept.values()]).toEqual([TOKEN])
    const { body: document } = await send('/openapi.json')
    const operations = byId('operations').all('details')
    expect(operations).toHaveLength(Object.keys(document.paths).length)
    const predict = operations.find((element) => element.textContent.includes('Predict one sample')) as FakeElement
    expect(predict.textContent).toContain('number from 18 to 120')
    expect(predict.textContent).toContain('weight')
    expect(predict.textContent).toContain('"sum" | "a" | "b"')
    // The example fits the ranges: it can be sent as it is.
    const [area] = predict.all('textarea')
    expect(JSON.parse(area?.value ?? '')).toEqual({ inputs: { x: [18, -0.5] } })
    const [form] = predict.all('form')
    const [result] = predict.all('pre')
    form?.submit()
    await expect.poll(() => result?.textContent).toMatch(/^200 {2}[0-9a-f]{12}-\w+\n\{"version":"release-1"/)
    if (area) area.value = '{"inputs":{"x":[5,-1]}}'
    form?.submit()
    await expect.poll(() => result?.textContent).toMatch(/^422 .*must be at least 18, found 5/s)
    const metrics = operations.find((element) => element.textContent.includes('/metrics')) as FakeElement
    metrics.all('form')[0]?.submit()
    await expect.poll(() => metrics.all('pre')[0]?.textContent).toContain('# TYPE nv_inference_count counter')
  })
})
