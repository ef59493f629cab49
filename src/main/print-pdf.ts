import { rename, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app, BrowserWindow, session } from 'electron'

/** `--print-pdf in.html out.pdf`: what the backend starts Electron with to print a report. */
const SWITCH = '--print-pdf'
/** The process ends by itself, whatever happens to the one that started it. */
const LIMIT_MS = 110_000
/** Centimetres to the inches that printing counts in. */
const INCH_CM = 2.54
const MARGIN_CM = 1.5
const FOOTER_CM = 1.8

interface PrintRequest {
  readonly htmlPath: string
  readonly pdfPath: string
}

/** The files to print from and to, when that is what this process was started for. */
export function printRequest(argv: readonly string[]): PrintRequest | undefined {
  const at = argv.indexOf(SWITCH)
  const [htmlPath, pdfPath] = at < 0 ? [] : argv.slice(at + 1)
  return htmlPath === undefined || pdfPath === undefined ? undefined : { htmlPath: resolve(htmlPath), pdfPath: resolve(pdfPath) }
}

/**
 * Prints one page to PDF and ends the process: code 0 and the file whole, or code 1 with the reason on standard error. The page runs
 * no script, is sandboxed, keeps nothing, and every request but that for itself is refused.
 */
export async function printAndQuit(request: PrintRequest): Promise<void> {
  const timer = setTimeout(() => {
    console.error(`print-pdf: not done after ${LIMIT_MS / 1000} s`)
    app.exit(1)
  }, LIMIT_MS)
  // Nothing of the application's own profile is used, so an open window is not disturbed.
  app.setPath('userData', join(dirname(request.pdfPath), 'profile'))
  app.disableHardwareAcceleration()
  try {
    await app.whenReady()
    await print(request)
    clearTimeout(timer)
    app.exit(0)
  } catch (error) {
    console.error(`print-pdf: ${error instanceof Error ? error.message : String(error)}`)
    app.exit(1)
  }
}

async function print({ htmlPath, pdfPath }: PrintRequest): Promise<void> {
  const url = pathToFileURL(htmlPath).href
  // Without `persist:` it lives in memory only.
  const own = session.fromPartition('print-pdf')
  own.webRequest.onBeforeRequest((details, decide) => decide({ cancel: details.url !== url }))
  own.setPermissionRequestHandler((_contents, _permission, allow) => allow(false))
  const window = new BrowserWindow({
    show: false,
    width: 1000,
    height: 1400,
    webPreferences: {
      session: own,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      javascript: false,
      webSecurity: true,
      spellcheck: false,
    },
  })
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  await window.loadURL(url)
  const bytes = await window.webContents.printToPDF({
    pageSize: 'A4',
    printBackground: true,
    generateTaggedPDF: true,
    generateDocumentOutline: true,
    margins: {
      top: MARGIN_CM / INCH_CM,
      bottom: FOOTER_CM / INCH_CM,
      left: MARGIN_CM / INCH_CM,
      right: MARGIN_CM / INCH_CM,
    },
    displayHeaderFooter: true,
    headerTemplate: '<span></span>',
    footerTemplate: footer,
  })
  await writeFile(`${pdfPath}.part`, bytes)
  await rename(`${pdfPath}.part`, pdfPath)
}

/** Title at the left, page numbers at the right; Chromium fills the spans in. */
const footer = `<div style="font:8px system-ui,sans-serif;color:#666;width:100%;padding:0 1.5cm;display:flex;justify-content:space-between;gap:1cm">
<span class="title" style="overflow:hidden;white-space:nowrap;text-overflow:ellipsis"></span><span style="white-space:nowrap">page <span class="pageNumber"></span> of <span class="totalPages"></span></span></div>`
