import { z } from 'zod'
import { sha256Schema } from './names.ts'

/** Name of a file of the agent: no folders, nothing that a shell takes apart. */
const agentFileNameSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/)

/** A file of the agent as it lies on a device. */
export const agentFileSchema = z.object({
  name: agentFileNameSchema,
  sha256: sha256Schema,
  sizeBytes: z.int().min(0).max(2_000_000_000),
  executable: z.boolean(),
})

/**
 * `manifest.json` beside an agent: what belongs to it, and whose key signed it. `manifest.sig` beside it holds the base64 of the Ed25519
 * signature over its bytes. Neither names itself.
 */
export const agentManifestSchema = z.object({
  version: z.string().max(60),
  architecture: z.enum(['x64', 'arm64']),
  /** Base64 of the SPKI form of the Ed25519 key. */
  publicKey: z.string().max(200),
  files: z.array(agentFileSchema).min(1).max(50),
})
export type AgentManifest = z.infer<typeof agentManifestSchema>
