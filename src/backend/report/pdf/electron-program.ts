import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'

/** Electron, and what it needs before arguments of ours. */
export interface ElectronProgram {
  readonly path: string
  /** Where the application is; nothing when it is packed with Electron. */
  readonly applicationArguments: readonly string[]
}

/** Where Electron keeps its executable in its folder. */
function executable(): string {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return process.platform === 'win32' ? 'electron.exe' : 'electron'
}

/**
 * The Electron to print with: the one whose window this backend belongs to (EDGESMITH_ELECTRON, set by the window), an unpacked one
 * the user named (ELECTRON_OVERRIDE_DIST_PATH), or that of node_modules.
 *
 * @param root folder of the program
 * @throws EdgesmithError `PDF_FAILED` when there is none
 */
export function findElectronProgram(root: string, environment: NodeJS.ProcessEnv): ElectronProgram {
  const folder = join(root, 'node_modules/electron')
  const linked = join(folder, 'path.txt')
  const candidates = [
    environment.EDGESMITH_ELECTRON,
    environment.ELECTRON_OVERRIDE_DIST_PATH && join(environment.ELECTRON_OVERRIDE_DIST_PATH, executable()),
    existsSync(linked) ? join(folder, 'dist', readFileSync(linked, 'utf8').trim()) : undefined,
  ]
  const path = candidates.find((candidate) => candidate && existsSync(candidate))
  if (!path)
    throw new EdgesmithError('PDF_FAILED', 'There is no Electron to print with', {
      hint: 'Run npm start once, which installs it, or set ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron. HTML needs no Electron.',
    })
  return { path, applicationArguments: isPacked(path) ? [] : [root] }
}

/** A packaged application lies beside its Electron, which then starts it by itself. */
function isPacked(path: string): boolean {
  const resources = process.platform === 'darwin' ? join(dirname(path), '../Resources') : join(dirname(path), 'resources')
  return ['app.asar', 'app'].some((name) => existsSync(join(resources, name)))
}
