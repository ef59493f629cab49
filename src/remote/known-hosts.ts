import { createHash, createHmac } from 'node:crypto'
import { matchesPatternList } from './openssh-pattern.ts'

/**
 * Reading of OpenSSH's known_hosts format: plain names, `[host]:port`, comma lists, `*` and `?`, `!` negation, hashed names (`|1|salt|hash`),
 * `@revoked` and `@cert-authority`. Source: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"; hostfile.c and match.c of OpenSSH.
 */
export interface KnownHostEntry {
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  readonly marker: 'none' | 'revoked' | 'cert-authority'
  /** First field as written: names or a hash. */
  readonly hosts: string
  readonly keyType: string
  /** The key blob in base64. */
  readonly key: string
}

/** What the files say about a key that a host showed. */
export interface HostKeyLookup {
  readonly state: 'known' | 'changed' | 'revoked' | 'unknown'
  /** The lines that decided. */
  readonly entries: readonly KnownHostEntry[]
}

/** OpenSSH reads lines of any length; a key of 16384 RSA bits takes 2.8 kB, a line beyond 16 kB is not a key. */
const longestLine = 16_384
/** A file of 200,000 lines. Larger ones are not read by hand either. */
const mostLines = 200_000

/** Lines that are not entries (comments, empty, of unknown form) are left out, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHostEntry[] {
  const entries: KnownHostEntry[] = []
  const lines = text.split('\n', mostLines)
  for (const [index, line] of lines.entries()) {
    if (line.length > longestLine) continue
    const fields = line.trim().split(/[ \t]+/)
    if (!fields[0] || fields[0].startsWith('#')) continue
    const written = fields[0].startsWith('@') ? fields.shift() : undefined
    const marker =
      written === undefined ? 'none' : written === '@revoked' ? 'revoked' : written === '@cert-authority' ? 'cert-authority' : null
    const [hosts, keyType, key] = fields
    // A number in the second field is the obsolete SSH 1 format.
    if (marker === null || !hosts || !keyType || !key || /^\d+$/.test(keyType)) continue
    entries.push({ file, line: index + 1, marker, hosts, keyType, key: key.replace(/=+$/, '') })
  }
  return entries
}

/** How known_hosts calls a host: the bare name for port 22, `[host]:port` otherwise, in lower case. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase()
  return port === 22 ? name : `[${name}]:${port}`
}

/** Whether the first field of a line means this name (as {@link knownHostName} makes it). */
export function matchesKnownHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHashedName(hosts, name)
  return matchesPatternList(hosts.toLowerCase(), name)
}

/** `|1|salt|HMAC-SHA1(salt, name)`, both in base64. OpenSSH takes 20 bytes of salt. */
export function hashedName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

function matchesHashedName(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|')
  if (version !== '1' || !salt || !hash) return false
  return hashedName(name, Buffer.from(salt, 'base64')).endsWith(`|${hash}`)
}

/**
 * What the entries say about a key blob. A host with another key on file is `changed`, also when that one is of another type:
 * types on file are offered first, so an honest server would have shown it. A host on another port than 22 that has no line of its own
 * is `known` by a line without port (as in OpenSSH), but never `changed` by one.
 */
export function lookUpHostKey(entries: readonly KnownHostEntry[], host: string, port: number, blob: Buffer): HostKeyLookup {
  const found = lookUpName(entries, knownHostName(host, port), blob)
  if (found.state !== 'unknown' || port === 22) return found
  const withoutPort = lookUpName(entries, knownHostName(host, 22), blob)
  return withoutPort.state === 'changed' ? found : withoutPort
}

function lookUpName(entries: readonly KnownHostEntry[], name: string, blob: Buffer): HostKeyLookup {
  const key = blob.toString('base64').replace(/=+$/, '')
  const ofHost = entries.filter((entry) => entry.marker !== 'cert-authority' && matchesKnownHost(entry.hosts, name))
  const revoked = ofHost.filter((entry) => entry.marker === 'revoked' && entry.key === key)
  if (revoked.length > 0) return { state: 'revoked', entries: revoked }
  const plain = ofHost.filter((entry) => entry.marker === 'none')
  const same = plain.filter((entry) => entry.key === key)
  if (same.length > 0) return { state: 'known', entries: same }
  return plain.length > 0 ? { state: 'changed', entries: plain } : { state: 'unknown', entries: [] }
}

/** Types of the keys on file for a host, to be offered first: a server shows the key of the first type that both sides know. */
export function knownKeyTypes(entries: readonly KnownHostEntry[], host: string, port: number): string[] {
  const name = knownHostName(host, port)
  const types = entries.filter((entry) => entry.marker === 'none' && matchesKnownHost(entry.hosts, name)).map((entry) => entry.keyType)
  return [...new Set(types)]
}

/** Fingerprint of a key blob as `ssh-keygen -l` prints it. */
export function keyFingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

/** The type a key blob names in its first field; empty when the blob is not a key. */
export function keyTypeOf(blob: Buffer): string {
  if (blob.length < 4) return ''
  const length = blob.readUInt32BE(0)
  return length <= 64 && blob.length >= 4 + length ? blob.toString('latin1', 4, 4 + length) : ''
}
