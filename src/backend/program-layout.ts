import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'

/** Where the program's own files are, whether it runs from source, from `out/`, or packaged. */
export interface ProgramLayout {
  /** Folder of package.json. */
  readonly root: string
  readonly version: string
  /** Program of an engine process. */
  readonly engineEntry: string
  /** Folder of the agent as it runs on this computer: agent.cjs and ONNX Runtime's native files beside it. */
  readonly agentFolder: string
  /** Sample models and datasets. */
  readonly samplesFolder: string
}

/** Finds the layout by walking up from this file to the project's package.json. */
export function findProgramLayout(): ProgramLayout {
  let root = import.meta.dirname
  while (!isProjectRoot(root)) {
    const parent = dirname(root)
    if (parent === root) throw new Error(`no package.json of edgesmith above ${import.meta.dirname}`)
    root = parent
  }
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const built = import.meta.dirname.startsWith(join(root, 'out') + sep)
  return {
    root,
    version,
    engineEntry: built ? join(root, 'out/main/engine.js') : join(root, 'src/engine/engine-entry.ts'),
    agentFolder: join(root, 'out/agent'),
    samplesFolder: join(root, 'models'),
  }
}

function isProjectRoot(folder: string): boolean {
  const path = join(folder, 'package.json')
  return existsSync(path) && (JSON.parse(readFileSync(path, 'utf8')) as { name?: string }).name === 'edgesmith'
}
