import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { agentFileSchema } from '../contract/agent-manifest.ts'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { sha256Schema } from '../contract/names.ts'
import type { BundleArchitecture, BundleFile, BundleSources } from './agent-bundle.ts'
import { BundleCache } from './agent-bundle-cache.ts'
import { assembleParts } from './agent-parts.ts'
import type { AgentNeeds } from './device-session.ts'

/**
 * `linux-<architecture>.json` in a shipped folder (`linux-<architecture>-images.json` with the image library): the files of the agent for that architecture; their compressed forms are
 * `blobs/<sha256>.gz` beside it. The manifest that goes to devices is made and signed by the installation.
 */
const shippedListSchema = z.object({
  version: z.string().max(60),
  files: z
    .array(agentFileSchema.extend({ gzipBytes: z.int().min(1).max(2_000_000_000), gzipSha256: sha256Schema }))
    .min(1)
    .max(50),
})
type ShippedList = z.infer<typeof shippedListSchema>

const longestList = 100_000

const listName = (architecture: BundleArchitecture, { images }: AgentNeeds) => `linux-${architecture}${images ? '-images' : ''}.json`

/**
 * The files of the bundle that came with the program, each checked by its hash when it is read for the first time; null when none came, or
 * one of another version.
 * @throws EdgesmithError BUNDLE_CORRUPT naming the file that is damaged or missing
 */
export async function readShippedFiles(
  architecture: BundleArchitecture,
  needs: AgentNeeds,
  { shippedFolder, version }: BundleSources,
  cache: BundleCache,
): Promise<BundleFile[] | null> {
  if (shippedFolder === undefined) return null
  const list = await readList(join(shippedFolder, listName(architecture, needs)))
  if (list === null || list.version !== version) return null
  return Promise.all(
    list.files.map(async ({ gzipBytes, gzipSha256, ...file }) => {
      const gzipPath = join(shippedFolder, 'blobs', `${file.sha256}.gz`)
      const found = await cache.known(gzipPath).catch((error: NodeJS.ErrnoException) => {
        throw damaged(gzipPath, `it cannot be read (${error.code ?? error.message})`)
      })
      if (found.sizeBytes !== gzipBytes) throw damaged(gzipPath, `it has ${found.sizeBytes} bytes instead of ${gzipBytes}`)
      if (found.sha256 !== gzipSha256) throw damaged(gzipPath, 'it has another content than it was built with')
      return { ...file, gzipPath, gzipBytes, gzipSha256 }
    }),
  )
}

/**
 * Writes a folder that {@link readShippedFiles} reads, with the agents for several architectures, without and with the image library.
 * @throws EdgesmithError as assembling them does
 */
export async function writeShippedAgents(
  folder: string,
  architectures: readonly BundleArchitecture[],
  sources: BundleSources,
  reporter?: JobReporter,
): Promise<void> {
  const cache = new BundleCache(join(sources.cacheFolder, 'agent-bundle'))
  await cache.open()
  await mkdir(join(folder, 'blobs'), { recursive: true })
  for (const [architecture, needs] of architectures.flatMap((each) => [
    [each, { images: false }] as const,
    [each, { images: true }] as const,
  ])) {
    const files = await assembleParts(architecture, needs, sources, cache, reporter)
    for (const { sha256, gzipPath } of files) {
      const path = join(folder, 'blobs', `${sha256}.gz`)
      await copyFile(gzipPath, `${path}.part`)
      await rename(`${path}.part`, path)
    }
    const list: ShippedList = { version: sources.version, files: files.map(({ gzipPath: _, ...file }) => file) }
    // Last: a folder without it counts for nothing.
    await writeFile(join(folder, listName(architecture, needs)), `${JSON.stringify(list, null, 1)}\n`)
  }
}

async function readList(path: string): Promise<ShippedList | null> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    throw damaged(path, `it cannot be read (${code ?? message})`)
  }
  if (text.length > longestList) throw damaged(path, 'it is too long')
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw damaged(path, 'it is no JSON')
  }
  const parsed = shippedListSchema.safeParse(json)
  if (!parsed.success) throw damaged(path, z.prettifyError(parsed.error))
  return parsed.data
}

function damaged(path: string, what: string): EdgesmithError {
  return new EdgesmithError('BUNDLE_CORRUPT', `The agent that came with Edgesmith is damaged: ${path}: ${what}`, {
    hint: 'Install Edgesmith again.',
  })
}
