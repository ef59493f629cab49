import { open, readdir } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'
import { matchesGlob } from './glob-pattern.ts'
import { shownText } from './shown-text.ts'
import { type ConfigLine, parseConfigLine } from './ssh-config-lines.ts'

/** Where the configuration of `ssh` is read. */
export interface SshEnvironment {
  /** Home directory of the user, where `~` leads. */
  readonly home: string
  /** Configuration files, the most important one first; missing ones are empty. */
  readonly configPaths: readonly string[]
}

/** A file of the configuration, with the files it includes in the places where it does. */
export type ConfigPart = ConfigLine | { readonly included: readonly (readonly ConfigPart[])[] }

/** READCONF_MAX_DEPTH of OpenSSH. */
const mostDepth = 16
/** Nobody writes by hand more than this; a file beyond it is not a configuration. */
const largestFile = 1024 * 1024
const longestLine = 16_384
/** Of all files together: an include with `*` in a folder of something else. */
const mostFiles = 500
const mostLines = 100_000

/**
 * Reads the configuration files and what they include. Include paths may have `*`, `?` and `[…]` in them and are relative to `~/.ssh`
 * (those of the system to the folder of the file). Source: ssh_config(5), readconf.c.
 * @returns one list of parts for each of the files
 * @throws EdgesmithError SSH_CONFIG_INVALID: not readable, writable for others, too large, includes go in circles
 */
export async function readConfigFiles(environment: SshEnvironment): Promise<(readonly ConfigPart[])[]> {
  const reader = new ConfigReader(environment.home)
  const files: (readonly ConfigPart[])[] = []
  for (const path of environment.configPaths) files.push((await reader.read(path, folderFor(path, environment.home), [])) ?? [])
  return files
}

function folderFor(path: string, home: string): string {
  return path.startsWith('/etc/') ? dirname(path) : join(home, '.ssh')
}

class ConfigReader {
  readonly #home: string
  #files = 0
  #lines = 0

  constructor(home: string) {
    this.#home = home
  }

  /** Null when there is no such file. */
  async read(path: string, folder: string, above: readonly string[]): Promise<ConfigPart[] | null> {
    const text = await readConfigText(path)
    if (text === null) return null
    if (++this.#files > mostFiles) throw invalid(path, null, `is beyond the limit of ${mostFiles} included files`)
    const parts: ConfigPart[] = []
    for (const [index, content] of text.split('\n').entries()) {
      if (++this.#lines > mostLines) throw invalid(path, index + 1, `is beyond the limit of ${mostLines} lines`)
      if (content.length > longestLine) throw invalid(path, index + 1, `is longer than ${longestLine} characters`)
      const line = parseConfigLine(content, path, index + 1)
      if (line === null) continue
      parts.push(line.keyword === 'include' ? await this.#include(line, folder, [...above, path]) : line)
    }
    return parts
  }

  async #include(line: ConfigLine, folder: string, above: readonly string[]): Promise<ConfigPart> {
    if (line.words === null || line.words.length === 0) throw invalid(line.file, line.line, 'has an Include without a path')
    const included: ConfigPart[][] = []
    for (const word of line.words) {
      const path = word.startsWith('~/') ? join(this.#home, word.slice(2)) : word
      for (const found of await expandGlob(posix.isAbsolute(path) || /^[A-Za-z]:[\\/]/.test(path) ? path : join(folder, path))) {
        if (above.includes(found)) throw invalid(line.file, line.line, `includes ${shownText(found)}, which includes it: a circle`)
        if (above.length >= mostDepth) throw invalid(line.file, line.line, `includes files more than ${mostDepth} deep`)
        const parts = await this.read(found, folder, above)
        if (parts) included.push(parts)
      }
    }
    return { included }
  }
}

async function readConfigText(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      const found = await file.stat()
      if (!found.isFile()) throw invalid(path, null, 'is not a file')
      if (found.size > largestFile) throw invalid(path, null, `is larger than ${largestFile} bytes`)
      // As `ssh` does: who may write this file may lead the connection elsewhere.
      const uid = process.getuid?.()
      if (uid !== undefined && ((found.uid !== 0 && found.uid !== uid) || (found.mode & 0o022) !== 0)) {
        throw invalid(path, null, 'belongs to another user or may be written by others', `Make it private: chmod 600 ${path}`)
      }
      return await file.readFile('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw invalid(path, null, `cannot be read: ${shownText(message)}`, 'Make it readable, or move it away.')
  }
}

/** Existing files of a pattern, sorted; a path without pattern is returned as it is. */
async function expandGlob(pattern: string): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) return [pattern]
  const segments = (process.platform === 'win32' ? pattern.replaceAll('\\', '/') : pattern).split('/')
  let found = ['']
  for (const [index, segment] of segments.entries()) {
    if (index === 0) {
      found = [segment]
      continue
    }
    if (!/[*?[]/.test(segment)) {
      found = found.map((folder) => `${folder}/${segment}`)
      continue
    }
    const next: string[] = []
    for (const folder of found) {
      const names = await readdir(folder === '' ? '/' : folder).catch(() => [])
      const fitting = names.filter((name) => matchesGlob(segment, name)).sort()
      next.push(...fitting.map((name) => `${folder}/${name}`))
      if (next.length > mostFiles) throw invalid(pattern, null, `stands for more than ${mostFiles} files`)
    }
    found = next
  }
  return found
}

/** The error for a line, or (line null) a file of the configuration. */
export function invalid(file: string, line: number | null, what: string, hint?: string): EdgesmithError {
  const place = line === null ? file : `${file}:${line}`
  return new EdgesmithError('SSH_CONFIG_INVALID', `${place} ${what}`, {
    hint: hint ?? `Look at what ssh itself makes of it: ssh -G <host>`,
    details: { file, line },
  })
}
