import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'

const keyFileName = 'agent-signing-key.pem'
/** A PKCS #8 file of an Ed25519 key has 119 bytes. */
const longestKeyFile = 1000

/** The key by which the agents of this installation are known on devices. */
export interface AgentSigningKey {
  /** Base64 of the SPKI form. */
  readonly publicKey: string
  /** Base64 of the Ed25519 signature. Source: RFC 8032; the same bytes have the same signature. */
  sign(content: Buffer): string
}

/**
 * The Ed25519 key in `agent-signing-key.pem`, made on first use with mode 0600. When it is deleted a new one is made, and devices learn it at
 * the next push, as they learn the key of another computer.
 * @throws EdgesmithError KEY_UNREADABLE, FILE_NOT_WRITABLE
 */
export async function openAgentSigningKey(folder: string): Promise<AgentSigningKey> {
  const path = join(folder, keyFileName)
  const key = (await readKey(path)) ?? (await makeKey(folder, path))
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  return { publicKey, sign: (content) => sign(null, content, key).toString('base64') }
}

async function readKey(path: string): Promise<KeyObject | null> {
  const unreadable = (reason: string) =>
    new EdgesmithError('KEY_UNREADABLE', `${path}, which signs the agent for devices, cannot be used: ${reason}`, {
      hint: 'Delete it: a new one is made, and devices learn it at the next push.',
    })
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw unreadable((error as Error).message)
  }
  if (text.length > longestKeyFile) throw unreadable('it is too long for a key')
  let key: KeyObject
  try {
    key = createPrivateKey(text)
  } catch {
    throw unreadable('it holds no private key')
  }
  if (key.asymmetricKeyType !== 'ed25519') throw unreadable(`it holds a key of type ${key.asymmetricKeyType}, not Ed25519`)
  return key
}

async function makeKey(folder: string, path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(temporary, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx', flush: true })
    await chmod(temporary, 0o600)
    // Another process may make one at the same time: the first one counts for both.
    await link(temporary, path).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw error
      // A file system without links.
      await rename(temporary, path)
    })
    return privateKey
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const theirs = code === 'EEXIST' ? await readKey(path) : null
    if (theirs) return theirs
    throw new EdgesmithError('FILE_NOT_WRITABLE', `The key that signs the agent for devices cannot be kept: ${message}`, {
      hint: `Make ${folder} writable, or set EDGESMITH_CACHE_DIR.`,
    })
  } finally {
    await rm(temporary, { force: true })
  }
}
