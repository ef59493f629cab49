import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { docsFiles } from '../contract/docs-files.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import type { BundleArchitecture, BundleFile, BundleSources } from './agent-bundle.ts'
import type { BundleCache } from './agent-bundle-cache.ts'
import type { AgentNeeds } from './device-session.ts'

/**
 * Node, our code, Swagger UI, ONNX Runtime and, where it is needed, the image library for an architecture, compressed in the cache.
 * @throws EdgesmithError as `ensureAgentBundle`
 */
export async function assembleParts(
  architecture: BundleArchitecture,
  needs: AgentNeeds,
  sources: BundleSources,
  cache: BundleCache,
  reporter?: JobReporter,
  signal?: AbortSignal,
): Promise<BundleFile[]> {
  const runtime = join(sources.onnxRuntimeFolder, architecture)
  const libraries = await sharedLibraries(runtime)
  reporter?.progress({ phase: 'assembling the agent', done: 0, total: null, unit: 'files' })
  const images = needs.images ? cache.imageLibrary(architecture, sources, reporter, signal) : []
  const [others, library] = await Promise.all([
    Promise.all([
      cache.node(architecture, sources, reporter, signal),
      ...['agent.cjs', ...Object.values(docsFiles)].map((name) => cache.file(name, false, join(sources.agentFolder, name))),
      cache.file('onnxruntime_binding.node', false, join(runtime, 'onnxruntime_binding.node')),
      ...libraries.map((name) => cache.file(name, false, join(runtime, name))),
    ]),
    images,
  ])
  return [...others, ...library]
}

async function sharedLibraries(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const libraries = names.filter((name) => /^libonnxruntime[\w.-]*\.so(\.\d+)*$/.test(name)).sort()
  if (libraries.length > 0) return libraries
  throw new EdgesmithError('FILE_NOT_FOUND', `${folder} holds no ONNX Runtime library`, { hint: 'Install the dependencies again: npm ci' })
}
