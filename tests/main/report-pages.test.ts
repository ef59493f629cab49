import { describe, expect, it } from 'vitest'
import type { Answer } from '../../src/main/backend-supervisor.ts'
import { isReportPath, reportPage } from '../../src/main/report-pages.ts'

const id = '00000000-0000-4000-8000-000000000001'

/** A backend that remembers what it was asked. */
function backend(answer: Answer) {
  const calls: [string, unknown][] = []
  const call = (name: string, input: unknown) => {
    calls.push([name, input])
    return Promise.resolve(answer)
  }
  return { calls, call }
}

describe('reportPage', () => {
  it('serves what the backend renders, under a policy that lets it run and load nothing', async () => {
    const { calls, call } = backend({ ok: true, output: { html: '<p>report</p>' } })
    const response = await reportPage(new URL(`app://edgesmith/report/${id}`), call)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('<p>report</p>')
    expect(calls).toEqual([['reports.render', { id }]])
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'self'")
    expect(policy).toMatch(/; sandbox$/)
    expect(policy).not.toMatch(/script-src|connect-src|allow-/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('passes on the theme, and nothing else', async () => {
    const { calls, call } = backend({ ok: true, output: { html: '' } })
    await reportPage(new URL(`app://edgesmith/report/${id}?theme=dark`), call)
    await reportPage(new URL(`app://edgesmith/report/${id}?theme="><script>`), call)
    expect(calls).toEqual([
      ['reports.render', { id, theme: 'dark' }],
      ['reports.render', { id }],
    ])
  })

  it('says in words what went wrong, without running it', async () => {
    const { call } = backend({ ok: false, error: { code: 'NOT_FOUND', message: 'There is no report <script>' } })
    const response = await reportPage(new URL(`app://edgesmith/report/${id}`), call)
    expect(response.status).toBe(500)
    expect(await response.text()).toContain('There is no report &#60;script&#62;')
  })

  it.each(['/report/', '/report/1', `/report/${id}/x`, `/report/../${id}`, `/report/${id}%00`])('asks nothing for %s', async (path) => {
    const { calls, call } = backend({ ok: true, output: { html: 'no' } })
    const response = await reportPage(new URL(`app://edgesmith${path}`), call)
    expect(response.status).toBe(404)
    expect(calls).toEqual([])
  })

  it('knows its own addresses', () => {
    expect(isReportPath(`/report/${id}`)).toBe(true)
    expect(isReportPath('/reports')).toBe(false)
    expect(isReportPath('/index.html')).toBe(false)
  })
})
