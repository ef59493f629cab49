import { createPrivateKey } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import ssh2, { type ParsedKey } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { keyTypeOf } from './known-hosts.ts'
import { localUserName } from './local-user.ts'
import { shownText } from './shown-text.ts'

/** A private key file. */
export interface KeyFile {
  readonly path: string
  /** The key itself; null when a passphrase protects it. */
  readonly key: ParsedKey | null
  /** The public half, where it can be read without the passphrase. */
  readonly publicKey: ParsedKey | null
  readonly content: Buffer
}

/** An RSA key of 16384 bits is 13 kB; a file beyond this is something else. */
const largestKeyFile = 65_536
/** Rounds of bcrypt that turn a passphrase into a key; 16 or 24 are usual, 100 is careful. In JavaScript each takes 23 ms. */
const mostRounds = 200

/**
 * Reads a private key file (OpenSSH, PEM, PKCS #8 for RSA and ECDSA, PuTTY version 2).
 * @throws EdgesmithError KEY_UNREADABLE: missing, not readable, a public key, not a key at all
 */
export async function readKeyFile(path: string): Promise<KeyFile> {
  const content = await readSmallFile(path)
  const text = content.toString('latin1')
  const parsed = parseKey(content)
  if (!(parsed instanceof Error)) {
    if (!parsed.isPrivateKey()) throw unreadable(path, 'is a public key', `The private key is needed: ${path.replace(/\.pub$/, '')}`)
    return { path, key: parsed, publicKey: parsed, content }
  }
  if (text.startsWith('PuTTY-User-Key-File-') && !/^PuTTY-User-Key-File-2: ssh-(rsa|dss)\s/.test(text)) {
    const hint = `Convert it: puttygen ${path} -O private-openssh -o ${path}.openssh`
    throw unreadable(path, 'is a PuTTY key of a kind that is not read (only RSA in version 2 is)', hint)
  }
  if (!isEncrypted(parsed, text)) {
    throw unreadable(path, 'is not a private key', `It could not be read as OpenSSH, PEM or PuTTY key: ${shownText(parsed.message)}`)
  }
  const header = opensshHeader(text)
  if (header && header.rounds > mostRounds) {
    throw unreadable(
      path,
      `is protected by ${header.rounds} rounds of bcrypt, more than ${mostRounds}`,
      `Add it to the ssh-agent: ssh-add ${path}`,
    )
  }
  const blob = header?.publicBlob ?? puttyPublicBlob(text)
  return { path, key: null, publicKey: (blob && publicKeyOf(blob)) ?? (await readPublicKey(`${path}.pub`)), content }
}

/**
 * The key of a protected file; null when that is not its passphrase.
 * @throws EdgesmithError KEY_UNREADABLE: protected in a way that is not known
 */
export function unlockKeyFile({ path, content }: KeyFile, passphrase: string): ParsedKey | null {
  // The empty text would be taken for no passphrase at all.
  if (passphrase === '') return null
  const parsed = parseKey(content, passphrase)
  if (!(parsed instanceof Error)) return parsed.isPrivateKey() ? parsed : null
  if (!/unsupported|unknown/i.test(parsed.message)) return null
  throw unreadable(path, 'is protected in a way that is not known', `${shownText(parsed.message)}. Change it: ssh-keygen -p -f ${path}`)
}

/** The error for a protected key whose passphrase is not on hand. */
export function lockedKey(path: string): EdgesmithError {
  return unreadable(path, 'is protected by a passphrase', `Add it to the ssh-agent (ssh-add ${path}), or give the passphrase.`)
}

/** The error for a protected key when the passphrase given for it is wrong. */
export function wrongPassphrase(path: string): EdgesmithError {
  return unreadable(
    path,
    'is protected by another passphrase than the one given',
    'Give the passphrase again, or add the key to the ssh-agent.',
  )
}

/** A public key file (`ssh-ed25519 AAAA… comment`); null when there is none, or none that can be used. */
export async function readPublicKey(path: string): Promise<ParsedKey | null> {
  const content = await readSmallFile(path).catch(() => null)
  const parsed = content === null ? null : parseKey(content)
  return parsed === null || parsed instanceof Error ? null : parsed
}

async function readSmallFile(path: string): Promise<Buffer> {
  try {
    const found = await stat(path)
    if (!found.isFile()) throw unreadable(path, 'is not a file', 'Give the path of the private key file, for example ~/.ssh/id_ed25519.')
    if (found.size > largestKeyFile) throw unreadable(path, 'is too large to be a key', 'Give the path of the private key file.')
    return await readFile(path)
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw unreadable(path, 'does not exist', 'Give the path of an existing private key, or make one: ssh-keygen -t ed25519')
    }
    throw unreadable(path, `cannot be read: ${(error as Error).message}`, `It must be readable for the user ${localUserName()}.`)
  }
}

function unreadable(path: string, what: string, hint: string): EdgesmithError {
  return new EdgesmithError('KEY_UNREADABLE', `${path} ${what}`, { hint, details: { path } })
}

/** ssh2 throws on some damaged keys, and does not know PKCS #8. */
function parseKey(content: Buffer, passphrase?: string): ParsedKey | Error {
  try {
    const plain = /-----BEGIN (?:ENCRYPTED )?PRIVATE KEY-----/.test(content.toString('latin1')) ? fromPkcs8(content, passphrase) : content
    const parsed = ssh2.utils.parseKey(plain, passphrase)
    return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in it')) : parsed
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function fromPkcs8(content: Buffer, passphrase: string | undefined): string {
  const key = createPrivateKey({ key: content, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }).toString()
  if (key.asymmetricKeyType === 'ec') return key.export({ type: 'sec1', format: 'pem' }).toString()
  throw new Error(`unsupported key type ${key.asymmetricKeyType} in PKCS #8; convert it: ssh-keygen -p -f <file>`)
}

function isEncrypted(error: Error, text: string): boolean {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(text)) return true
  return /encrypted|passphrase/i.test(error.message)
}

/** A public key from its blob, which names its type first. */
function publicKeyOf(blob: Buffer): ParsedKey | null {
  const type = keyTypeOf(blob)
  const parsed = type === '' ? null : parseKey(Buffer.from(`${type} ${blob.toString('base64')}`))
  return parsed instanceof Error ? null : parsed
}

/** What an OpenSSH file says in the clear. Source: PROTOCOL.key of OpenSSH. */
function opensshHeader(text: string): { readonly rounds: number; readonly publicBlob: Buffer } | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1]
  if (body === undefined) return null
  const bytes = Buffer.from(body, 'base64')
  // "openssh-key-v1\0", then cipher, key derivation, its options, the number of keys, the public key.
  let at = 15
  const field = (): Buffer | null => {
    if (at + 4 > bytes.length) return null
    const length = bytes.readUInt32BE(at)
    if (at + 4 + length > bytes.length) return null
    at += 4 + length
    return bytes.subarray(at - length, at)
  }
  field()
  field()
  const derivation = field()
  at += 4
  const publicBlob = field()
  if (derivation === null || publicBlob === null) return null
  // Options of bcrypt: salt, then the rounds as the last four bytes.
  return { rounds: derivation.length < 4 ? 0 : derivation.readUInt32BE(derivation.length - 4), publicBlob }
}

/** PuTTY files keep the public key in the clear. Source: PuTTY manual, appendix "PPK file format". */
function puttyPublicBlob(text: string): Buffer | null {
  const found = /^Public-Lines: (\d{1,3})\r?\n/m.exec(text)
  if (!found) return null
  const lines = text.slice(found.index + found[0].length).split(/\r?\n/, Number(found[1]))
  return Buffer.from(lines.join(''), 'base64')
}
