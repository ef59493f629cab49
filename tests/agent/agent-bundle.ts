import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** The agent as it lies on a device: one bundled file and ONNX Runtime's native files beside it. */
export interface AgentBundle {
  readonly folder: string
  readonly entry: string
  remove(): Promise<void>
}

export const BUNDLE_VERSION = '9.8.7-test'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles the agent of this source tree into a folder of its own, outside the repository and its node_modules. */
export async function bundleAgent(): Promise<AgentBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-agent-'))
  const entry = join(folder, 'agent.cjs')
  await build({
    entryPoints: [join(root, 'src/agent/agent-entry.ts')],
    outfile: entry,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    minify: true,
    logLevel: 'error',
    define: { __EDGESMITH_VERSION__: JSON.stringify(BUNDLE_VERSION) },
    plugins: [
      {
        name: 'native-file-beside-the-bundle',
        setup: ({ onLoad }) => onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, besideBundle),
      },
    ],
  })
  const natives = join(root, 'node_modules/onnxruntime-node/bin/napi-v6', process.platform, process.arch)
  for (const name of await readdir(natives)) await copyFile(join(natives, name), join(folder, name))
  return { folder, entry, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** ONNX Runtime's loader with its `require` of the native file replaced by one that looks beside the bundle. */
async function besideBundle({ path }: { path: string }) {
  const source = await readFile(path, 'utf8')
  const changed = source.replace(
    /require\(`[^`]*onnxruntime_binding\.node`\)/,
    '(() => { const m = { exports: {} }; process.dlopen(m, require("node:path").join(__dirname, "onnxruntime_binding.node")); return m.exports })()',
  )
  if (changed === source) throw new Error(`${dirname(path)} no longer loads its native file the way it did`)
  return { contents: changed, loader: 'js' as const }
}
