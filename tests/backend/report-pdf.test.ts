import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { htmlReport } from '../../src/backend/report/formats/html-report.ts'
import { findElectronProgram } from '../../src/backend/report/pdf/electron-program.ts'
import { printPdf } from '../../src/backend/report/pdf/print-pdf.ts'
import { fullDocument } from './report-document-fixture.ts'

const root = join(import.meta.dirname, '../..')

/** What a minimal reader finds in a PDF: its version, pages, title, and the operators that draw on its pages. */
function readPdf(bytes: Uint8Array) {
  const text = Buffer.from(bytes).toString('latin1')
  const streams = [...text.matchAll(/stream\r?\n/g)].flatMap(({ index, 0: keyword }) => {
    const start = index + keyword.length
    try {
      return [inflateSync(bytes.subarray(start, text.indexOf('endstream', start))).toString('latin1')]
    } catch {
      // Fonts and pictures are packed in other ways.
      return []
    }
  })
  return {
    isPdf: text.startsWith('%PDF-1.') && text.trimEnd().endsWith('%%EOF'),
    pages: text.match(/\/Type\s*\/Page\b/g)?.length ?? 0,
    a4: /\/MediaBox\s*\[0 0 59[56][.\d]* 84[12][.\d]*\]/.test(text),
    scripted: /\/JavaScript|\/JS\b|\/Launch|\/URI/.test(text),
    /** Filled and stroked paths: text alone has none. */
    paths: streams.reduce((sum, stream) => sum + (stream.match(/\n[fS]\n/g)?.length ?? 0), 0),
  }
}

describe('printPdf', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'edgesmith-pdf-test-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** As on a machine without a display, with a temporary folder of its own. */
  const environment = (): NodeJS.ProcessEnv => {
    const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...rest } = process.env
    return rest
  }

  it('prints the charts on A4 pages without a display, and leaves nothing behind', async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith('edgesmith-pdf-'))
    const bytes = await printPdf(htmlReport(fullDocument(), { theme: 'light', unfolded: true }), { root, environment: environment() })
    const pdf = readPdf(bytes)
    expect(pdf).toMatchObject({ isPdf: true, a4: true, scripted: false })
    expect(pdf.pages).toBeGreaterThan(10)
    expect(pdf.paths).toBeGreaterThan(500)
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('edgesmith-pdf-') && !before.includes(name))).toEqual([])
  })

  it('loads nothing and runs nothing', async () => {
    const page = `<!doctype html><title>x</title><p id="p">kept</p><script>document.getElementById('p').remove();document.write('<p>'+'x '.repeat(1e5))</script><img src="http://127.0.0.1:9/a.png"><iframe src="file:///etc/passwd"></iframe>`
    const pdf = readPdf(await printPdf(page, { root, environment: environment() }))
    expect(pdf).toMatchObject({ isPdf: true, pages: 1 })
  })

  it('says why it could not, and gives up in time', async () => {
    await expect(printPdf('<p>', { root: folder, environment: { PATH: '' } })).rejects.toMatchObject({
      code: 'PDF_FAILED',
      message: 'There is no Electron to print with',
    })
    await expect(printPdf('<p>', { root, environment: environment(), limitMs: 1 })).rejects.toMatchObject({
      code: 'PDF_FAILED',
      message: expect.stringContaining('not done after 0.001 s'),
    })
    // A program that is no Electron.
    const fake = { ...environment(), EDGESMITH_ELECTRON: process.execPath }
    await expect(printPdf('<p>', { root: folder, environment: fake })).rejects.toMatchObject({ code: 'PDF_FAILED' })
  })

  it('finds the Electron of the window first', () => {
    expect(findElectronProgram(root, { EDGESMITH_ELECTRON: process.execPath }).path).toBe(process.execPath)
    expect(findElectronProgram(root, {}).path).toContain('electron')
    expect(findElectronProgram(root, {}).applicationArguments).toEqual([root])
  })
})
