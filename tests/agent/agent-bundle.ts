import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleAgent as bundleInto } from '../../scripts/setup/agent-bundle.mjs'

/** The agent as it lies on a device: one bundled file and ONNX Runtime's native files beside it. */
export interface AgentBundle {
  readonly folder: string
  readonly entry: string
  remove(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The version that the bundle says it has. */
export const BUNDLE_VERSION: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/** Bundles the agent of this source tree into a folder of its own, outside the repository and its node_modules. */
export async function bundleAgent(): Promise<AgentBundle> {
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-agent-'))
  await bundleInto(root, folder)
  return { folder, entry: join(folder, 'agent.cjs'), remove: () => rm(folder, { recursive: true, force: true }) }
}
