import { spawn } from 'node:child_process'
import { existsSync, statfsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'
import { type ElectronProgram, findElectronProgram } from './electron-program.ts'
import { startVirtualScreen, type VirtualScreen } from './virtual-screen.ts'

/** A report of hundreds of charts takes a few seconds; an Electron that hangs is given up. */
const LIMIT_MS = 120_000
/** Standard error kept for the message. */
const STDERR_TAIL = 2000
/** Containers often have 64 MB of /dev/shm, where Chromium keeps its bitmaps and crashes when they do not fit. */
const ENOUGH_SHARED_MEMORY = 256e6

/** A way to start Electron where it may not be able to show a window. */
interface Attempt {
  readonly name: string
  readonly flags: readonly string[]
  readonly screen?: () => Promise<VirtualScreen>
}

export interface PrintOptions {
  /** Folder of the program. */
  readonly root: string
  readonly environment: NodeJS.ProcessEnv
  readonly limitMs?: number
}

/**
 * A page of ours as PDF, printed by Electron (A4, page numbers): without a window, and without a display too. It works beside an open
 * window, in a profile of its own that is gone afterwards.
 *
 * @throws EdgesmithError `PDF_FAILED` with what Electron said last
 */
export async function printPdf(html: string, options: PrintOptions): Promise<Uint8Array> {
  const program = findElectronProgram(options.root, options.environment)
  const failures: string[] = []
  for (const attempt of attempts(options.environment)) {
    const folder = await mkdtemp(join(tmpdir(), 'edgesmith-pdf-'))
    try {
      const screen = await attempt.screen?.()
      try {
        return await printOnce(html, folder, program, attempt, {
          ...options,
          environment: { ...options.environment, ...screen?.environment },
        })
      } finally {
        await screen?.stop()
      }
    } catch (error) {
      failures.push(`${attempt.name}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  throw new EdgesmithError('PDF_FAILED', `Electron did not print the report (${failures.join('; ')})`, {
    hint: 'Write the report as .html and print it in a browser, or install what edgesmith doctor names as missing.',
  })
}

/** On Linux first without any display server, then with the one there is, then with one of our own. */
function attempts(environment: NodeJS.ProcessEnv): Attempt[] {
  if (process.platform !== 'linux') return [{ name: 'without a window', flags: [] }]
  const headless: Attempt = { name: 'without a display', flags: ['--ozone-platform=headless'] }
  if (environment.DISPLAY) return [headless, { name: 'on the display', flags: [] }]
  if (environment.WAYLAND_DISPLAY) return [headless, { name: 'on the display', flags: ['--ozone-platform=wayland'] }]
  return [headless, { name: 'on a virtual display', flags: [], screen: startVirtualScreen }]
}

async function printOnce(
  html: string,
  folder: string,
  program: ElectronProgram,
  attempt: Attempt,
  { environment, limitMs = LIMIT_MS }: PrintOptions,
): Promise<Uint8Array> {
  const [htmlPath, pdfPath] = [join(folder, 'report.html'), join(folder, 'report.pdf')]
  await writeFile(htmlPath, html, { mode: 0o600 })
  const args = [
    ...program.applicationArguments,
    ...linuxFlags(),
    ...attempt.flags,
    `--user-data-dir=${join(folder, 'profile')}`,
    '--print-pdf',
    htmlPath,
    pdfPath,
  ]
  const { ELECTRON_RUN_AS_NODE: _plainNode, EDGESMITH_GUIDED_JOB: _guided, ...inherited } = environment
  // A group of its own, so that Chromium's children end with it.
  const child = spawn(program.path, args, { stdio: ['ignore', 'ignore', 'pipe'], env: inherited, detached: process.platform !== 'win32' })
  let lastWords = ''
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-STDERR_TAIL)
  })
  let late = false
  const timer = setTimeout(() => {
    late = true
    endGroup(child.pid)
  }, limitMs)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (late) throw new Error(`not done after ${limitMs / 1000} s`)
    if (code !== 0) throw new Error(telling(lastWords) || `Electron ended with ${code === null ? 'a signal' : `code ${code}`}`)
    return await readFile(pdfPath)
  } finally {
    clearTimeout(timer)
    endGroup(child.pid)
  }
}

/** Ends what is left of a process group. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // Gone already, as it should be.
  }
}

/** Switches without which Electron does not start here. */
function linuxFlags(): string[] {
  if (process.platform !== 'linux') return []
  const flags = ['--disable-gpu']
  // Chromium refuses to run its sandbox as root.
  if (process.getuid?.() === 0) flags.push('--no-sandbox')
  if (existsSync('/dev/shm')) {
    const { bavail, bsize } = statfsSync('/dev/shm')
    if (bavail * bsize < ENOUGH_SHARED_MEMORY) flags.push('--disable-dev-shm-usage')
  }
  return flags
}

/** Our own line, else the last of Chromium's. */
function telling(lastWords: string): string {
  const lines = lastWords.split('\n').filter((line) => line.trim() !== '')
  return (lines.find((line) => line.startsWith('print-pdf: '))?.slice('print-pdf: '.length) ?? lines.at(-1) ?? '').slice(0, 300)
}
