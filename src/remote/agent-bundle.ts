import { join } from 'node:path'
import type { AgentManifest } from '../contract/agent-manifest.ts'
import type { JobReporter } from '../contract/job.ts'
import { sha256Of } from '../platform/file-hash.ts'
import { BundleCache } from './agent-bundle-cache.ts'
import { assembleParts } from './agent-parts.ts'
import { openAgentSigningKey } from './agent-signing-key.ts'
import type { ImageLibraryForDevices } from './device-image-library.ts'
import type { NodeForDevices } from './device-node.ts'
import type { AgentNeeds } from './device-session.ts'
import { readShippedFiles } from './shipped-agent.ts'

/** Processors there is an agent for; both with Linux. */
export type BundleArchitecture = 'x64' | 'arm64'

/** A file of the bundle: its name on the device, and where its compressed form lies here. */
export interface BundleFile {
  readonly name: string
  readonly sha256: string
  readonly sizeBytes: number
  readonly executable: boolean
  readonly gzipPath: string
  readonly gzipBytes: number
  /** Of the compressed bytes: other versions of zlib make other ones of the same content. */
  readonly gzipSha256: string
}

/** Everything a device needs to run the agent: Node, ONNX Runtime, our code, the image library where it is asked for, and a manifest (the last file) that names them, with its signature. */
export interface AgentBundle {
  /** Follows from content and key: the start of the manifest's hash. */
  readonly id: string
  readonly version: string
  readonly architecture: BundleArchitecture
  readonly files: readonly BundleFile[]
  /** Unpacked. */
  readonly totalBytes: number
  /** Ed25519 key that signed the manifest: base64 of its SPKI form. */
  readonly publicKey: string
  /** Its files came with the program, and were not made here. */
  readonly shipped: boolean
}

/** Where the parts of a bundle come from. */
export interface BundleSources extends NodeForDevices, ImageLibraryForDevices {
  /** Folder of the built agent (`out/agent`), of which `agent.cjs` is taken. */
  readonly agentFolder: string
  /** `onnxruntime-node/bin/napi-v6/linux`, with a folder for each architecture. */
  readonly onnxRuntimeFolder: string
  /** Bundles and their compressed files are kept in `agent-bundle` below it, the signing key beside that. */
  readonly cacheFolder: string
  /** Version of Edgesmith. */
  readonly version: string
  /** A bundle that `scripts/agent-bundle.mjs --out` made, when the program brought one: neither npm nor a network is needed then. */
  readonly shippedFolder?: string | undefined
}

/**
 * The bundle for an architecture: the shipped one if there is one of this version, otherwise assembled when it is not in the cache yet,
 * which takes seconds the first time (compression) and milliseconds later. Several processes may do it at once.
 * @param needs with the image library it is a bundle of its own, with the same files and two more
 * @throws EdgesmithError FILE_NOT_FOUND (agent not built, package missing), DEVICE_UNSUPPORTED (no Node to be had for it), BUNDLE_CORRUPT (a
 *   shipped file is damaged), KEY_UNREADABLE (signing key), NO_SPACE, FILE_NOT_WRITABLE
 */
export async function ensureAgentBundle(
  architecture: BundleArchitecture,
  sources: BundleSources,
  reporter?: JobReporter,
  signal?: AbortSignal,
  needs: AgentNeeds = { images: false },
): Promise<AgentBundle> {
  const cache = new BundleCache(join(sources.cacheFolder, 'agent-bundle'))
  await cache.open()
  const key = await openAgentSigningKey(sources.cacheFolder)
  const shipped = await readShippedFiles(architecture, needs, sources, cache)
  const files = shipped ?? (await assembleParts(architecture, needs, sources, cache, reporter, signal))
  const manifest: AgentManifest = {
    version: sources.version,
    architecture,
    publicKey: key.publicKey,
    files: files.map(({ name, sha256, sizeBytes, executable }) => ({ name, sha256, sizeBytes, executable })),
  }
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`)
  const all = [
    ...files,
    await cache.content('manifest.sig', Buffer.from(`${key.sign(bytes)}\n`)),
    await cache.content('manifest.json', bytes),
  ]
  return {
    id: sha256Of(bytes).slice(0, 32),
    version: sources.version,
    architecture,
    files: all,
    totalBytes: all.reduce((sum, file) => sum + file.sizeBytes, 0),
    publicKey: key.publicKey,
    shipped: shipped !== null,
  }
}
