// Electron main: a thin shell. It opens the window, starts and supervises the backend, and passes messages between the two.
// No native module is loaded here and nothing is computed here.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { app, BrowserWindow, dialog, type IpcMainInvokeEvent, ipcMain, shell } from 'electron'
import { z } from 'zod'
import type { BackendEvent } from '../contract/backend-event.ts'
import { dialogSchema } from '../contract/bridge.ts'
import { channels } from '../contract/channels.ts'
import { APP_ORIGIN, registerAppScheme, serveRenderer } from './app-protocol.ts'
import { type Answer, BackendSupervisor } from './backend-supervisor.ts'
import { chooseFile } from './file-dialogs.ts'
import { runGuidedJob } from './guided-job.ts'
import { findNodeRuntime } from './node-runtime.ts'
import { printAndQuit, printRequest } from './print-pdf.ts'
import { SecretVault } from './secret-vault.ts'

const out = dirname(dirname(fileURLToPath(import.meta.url)))
const callSchema = z.object({ name: z.string().max(100), input: z.unknown() })

const printing = printRequest(process.argv)
registerAppScheme()
if (printing) void printAndQuit(printing)
// One window for each workspace: a second start brings the first to the front.
else if (!app.requestSingleInstanceLock()) app.quit()
else void start()

async function start(): Promise<void> {
  let window: BrowserWindow | undefined
  let lastBackendEvent: BackendEvent | undefined
  /** Reports written in this session: with those of the workspace the only files the window may open. */
  const writtenReports = new Set<string>()

  await app.whenReady()
  // The backend prints reports with this same program.
  process.env.EDGESMITH_ELECTRON = process.execPath
  const backend = new BackendSupervisor({
    entry: join(out, 'main/backend.js'),
    runtime: findNodeRuntime(),
    vault: new SecretVault(join(app.getPath('userData'), 'secrets.json')),
    emit: (event) => {
      if (event.type === 'backend') lastBackendEvent = event
      if (window && !window.isDestroyed()) window.webContents.send(channels.event, event)
    },
  })
  serveRenderer(join(out, 'renderer'), (name, input) => backend.call(name, input))

  handle(channels.call, callSchema, async ({ name, input }) => {
    const answer = await backend.call(name, input)
    if ((name === 'report.write' || name === 'reports.export') && answer.ok)
      writtenReports.add(z.object({ path: z.string() }).parse(answer.output).path)
    return answer
  })
  handle(channels.chooseFile, dialogSchema, (request) => (window ? chooseFile(window, request) : null))
  handle(channels.openFile, z.string().max(4096), async (path) => {
    if (!writtenReports.has(path) && !isListed(path, await backend.call('reports.list', {})))
      throw new Error('only reports of this workspace are opened')
    const problem = await shell.openPath(resolve(path))
    if (problem) throw new Error(problem)
  })

  window = openWindow()
  window.webContents.on('did-finish-load', () => {
    if (lastBackendEvent) window?.webContents.send(channels.event, lastBackendEvent)
  })
  window.on('close', (event) => {
    if (!window || quitting) return
    event.preventDefault()
    void confirmQuit(window)
  })
  app.on('second-instance', () => {
    window?.show()
    window?.focus()
  })

  let quitting = false
  const quit = async (exitCode: number) => {
    if (quitting) return
    quitting = true
    await backend.close()
    app.exit(exitCode)
  }
  /** Running jobs would be cancelled: the user is asked first. */
  const confirmQuit = async (parent: BrowserWindow) => {
    const answer = await backend.call('jobs.list', { limit: 50 })
    const running = answer.ok ? runningTitles(answer.output) : []
    if (running.length > 0) {
      const { response } = await dialog.showMessageBox(parent, {
        type: 'question',
        buttons: ['Keep working', 'Quit and cancel'],
        defaultId: 0,
        cancelId: 0,
        message: running.length === 1 ? 'A job is still running' : `${running.length} jobs are still running`,
        detail: running.join('\n'),
      })
      if (response === 0) return
    }
    await quit(0)
  }
  app.on('before-quit', (event) => {
    if (quitting) return
    event.preventDefault()
    void quit(0)
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void quit(0))

  if (process.env.EDGESMITH_GUIDED_JOB === '1') void quit(await runGuidedJob(backend))
}

function openWindow(): BrowserWindow {
  const window = new BrowserWindow({
    width: 1360,
    height: 880,
    minWidth: 900,
    minHeight: 600,
    title: 'Edgesmith',
    backgroundColor: '#15181d',
    autoHideMenuBar: true,
    webPreferences: {
      preload: join(out, 'preload/index.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false,
    },
  })
  // The page never leaves its own origin and never opens another window.
  window.webContents.on('will-navigate', (event, url) => {
    if (!url.startsWith(`${APP_ORIGIN}/`)) event.preventDefault()
  })
  // Frames show stored reports and nothing else, wherever a link in one may point.
  window.webContents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame && !event.url.startsWith(`${APP_ORIGIN}/report/`)) event.preventDefault()
  })
  window.webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  window.webContents.session.setPermissionRequestHandler((_contents, permission, allow) =>
    allow(permission === 'clipboard-sanitized-write'),
  )
  void window.loadURL(`${APP_ORIGIN}/index.html`)
  return window
}

/** Answers a channel, for our own page only and only for messages of the stated form. */
function handle<S extends z.ZodType>(channel: string, schema: S, answer: (input: z.output<S>) => unknown): void {
  ipcMain.handle(channel, (event: IpcMainInvokeEvent, raw: unknown) => {
    const { senderFrame } = event
    if (!senderFrame || senderFrame.parent !== null || !senderFrame.url.startsWith(`${APP_ORIGIN}/`))
      throw new Error('message from an unknown page')
    return answer(schema.parse(raw))
  })
}

/** Whether a report of the workspace was written to, or read from that path. */
function isListed(path: string, answer: Answer): boolean {
  const entries = z.array(z.object({ path: z.string().nullable() })).safeParse(answer.ok ? answer.output : [])
  return entries.success && entries.data.some((entry) => entry.path === path)
}

function runningTitles(jobs: unknown): string[] {
  return z
    .array(z.object({ title: z.string(), state: z.string(), foreign: z.boolean() }))
    .parse(jobs)
    .filter(({ state, foreign }) => !foreign && (state === 'running' || state === 'queued'))
    .map(({ title }) => title)
}
