import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AgentManifest, agentManifestSchema } from '../contract/agent-manifest.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { sha256OfFile } from '../platform/file-hash.ts'

/** Longest manifest, signature or list of keys that is read. */
const LONGEST_TEXT = 1_000_000

/**
 * Checks that the files of this agent are those that were signed: `manifest.sig` over the bytes of `manifest.json` by `publicKey`, the key
 * among those the device trusts (`trusted-keys`, two folders up), and every file by length and SHA-256.
 *
 * @param folder of the agent
 * @param publicKey base64 of the SPKI form of an Ed25519 key
 * @throws EdgesmithError `AGENT_UNTRUSTED` naming the file
 */
export async function checkOwnFiles(folder: string, publicKey: string): Promise<void> {
  const manifestBytes = await readText(folder, 'manifest.json')
  const signature = Buffer.from((await readText(folder, 'manifest.sig')).toString('latin1').trim(), 'base64')
  if (!verify(null, manifestBytes, parseKey(publicKey), signature)) {
    throw untrusted('manifest.json', 'was not signed by the computer that asks')
  }
  const manifest = parseManifest(manifestBytes)
  if (manifest.publicKey !== publicKey) throw untrusted('manifest.json', 'names another key than the one that signed it')
  const trusted = (await readText(dirname(dirname(folder)), 'trusted-keys')).toString('latin1').split('\n')
  if (!trusted.includes(publicKey)) throw untrusted('trusted-keys', 'does not hold the key that signed this agent')
  for (const file of manifest.files) {
    const path = join(folder, file.name)
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw untrusted(file.name, `cannot be read (${error.code})`)
    })
    if (found.size !== file.sizeBytes) throw untrusted(file.name, `has ${found.size} bytes instead of ${file.sizeBytes}`)
    const sha256 = await sha256OfFile(path)
    if (sha256 !== file.sha256) throw untrusted(file.name, 'has another content than was signed')
  }
}

async function readText(folder: string, name: string): Promise<Buffer> {
  const path = join(folder, name)
  try {
    if ((await stat(path)).size > LONGEST_TEXT) throw untrusted(name, `is longer than ${LONGEST_TEXT} bytes`)
    return await readFile(path)
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    throw untrusted(name, `cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

function parseKey(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Told below.
  }
  throw new EdgesmithError('USAGE', 'The public key of the request is no Ed25519 key.')
}

function parseManifest(bytes: Buffer): AgentManifest {
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw untrusted('manifest.json', 'is no JSON')
  }
  const parsed = agentManifestSchema.safeParse(json)
  if (!parsed.success) throw untrusted('manifest.json', 'is not of the form of a manifest')
  return parsed.data
}

function untrusted(file: string, what: string): EdgesmithError {
  return new EdgesmithError('AGENT_UNTRUSTED', `The agent on the device is not the one that was signed: ${file} ${what}.`, {
    hint: 'Prepare the device again. If it stays, somebody or a failing storage changes files in ~/.edgesmith there.',
    details: { file },
  })
}
