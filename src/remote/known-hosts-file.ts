import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgesmithError } from '../contract/errors.ts'
import { diskFiles, replaceFile } from '../platform/durable-files.ts'
import { hashedName, type KnownHostEntry, keyTypeOf, knownHostName, matchesKnownHost, parseKnownHosts } from './known-hosts.ts'

/** 200,000 lines of ordinary keys; more is not a known_hosts file. */
const largestFile = 64 * 1024 * 1024
/** A lock this old belongs to a process that died while it held it: writing takes milliseconds. */
const staleLockMs = 10_000

/** The files `ssh` itself reads, those of the user before that of the system. */
export function systemKnownHostsPaths(): string[] {
  const user = join(homedir(), '.ssh')
  return [join(user, 'known_hosts'), join(user, 'known_hosts2'), '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']
}

/**
 * All entries of several files; a missing file has none.
 * @throws EdgesmithError FILE_UNREADABLE: it would be wrong to take a host for unknown because its file cannot be read
 */
export async function readKnownHosts(paths: readonly string[]): Promise<KnownHostEntry[]> {
  const entries: KnownHostEntry[] = []
  for (const path of paths) {
    try {
      if ((await stat(path)).size > largestFile) throw new Error(`larger than ${largestFile} bytes`)
      entries.push(...parseKnownHosts(await readFile(path, 'utf8'), path))
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') continue
      throw new EdgesmithError('FILE_UNREADABLE', `${path} cannot be read: ${message}`, {
        hint: 'Host keys are checked against this file. Make it readable, or move it away.',
      })
    }
  }
  return entries
}

/** How a name is written down. */
export interface RememberOptions {
  /** As a hash, from which the host cannot be read (HashKnownHosts of ssh). */
  readonly hashed?: boolean | undefined
}

/**
 * Writes down a key that the user confirmed, in OpenSSH's format, in place of the key of the same type the file had for that host; keys of
 * other types stay, because a host has one of each.
 * The file is replaced as a whole (mode 0600), so a reader never meets half of it; two processes writing at once both succeed.
 * @throws EdgesmithError FILE_NOT_WRITABLE
 */
export async function rememberHostKey(
  path: string,
  host: string,
  port: number,
  blob: Buffer,
  { hashed = false }: RememberOptions = {},
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await withLock(`${path}.lock`, () => writeHostKey(path, knownHostName(host, port), blob, hashed))
  } catch (error) {
    throw new EdgesmithError('FILE_NOT_WRITABLE', `The key of ${host}:${port} cannot be kept in ${path}: ${(error as Error).message}`, {
      hint: 'Make the file and its folder writable.',
    })
  }
}

async function writeHostKey(path: string, name: string, blob: Buffer, hashed: boolean): Promise<void> {
  const keyType = keyTypeOf(blob)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  // Lines for several hosts and lines with a marker were written by hand: they stay.
  const isOurs = (entry: KnownHostEntry) =>
    entry.marker === 'none' && entry.keyType === keyType && !/[,*?!]/.test(entry.hosts) && matchesKnownHost(entry.hosts, name)
  const replaced = new Set(parseKnownHosts(text, path).flatMap((entry) => (isOurs(entry) ? [entry.line] : [])))
  const kept = text.split('\n').filter((line, index) => line.trim() !== '' && !replaced.has(index + 1))
  const lines = [...kept, `${hashed ? hashedName(name, randomBytes(20)) : name} ${keyType} ${blob.toString('base64')}`]
  await replaceFile(diskFiles, path, `${lines.join('\n')}\n`)
}

async function withLock(path: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await (await open(path, 'wx', 0o600)).close()
      break
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const age = await stat(path).then(
        (found) => Date.now() - found.mtimeMs,
        () => 0,
      )
      // A clock that was set back makes ages negative.
      if (Math.abs(age) > staleLockMs) await rm(path, { force: true })
      else await delay(20)
    }
  }
  try {
    await work()
  } finally {
    await rm(path, { force: true })
  }
}
