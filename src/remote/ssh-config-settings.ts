import { shownText } from './shown-text.ts'
import { invalid } from './ssh-config-files.ts'
import type { ConfigLine } from './ssh-config-lines.ts'

/** Settings collected so far; what is there is not set again. */
export interface SettingsDraft {
  hostName?: string
  port?: number | undefined
  user?: string | undefined
  readonly identityFiles: string[]
  identitiesOnly?: boolean
  identityAgent?: string
  /** ProxyJump or ProxyCommand, whichever came first. */
  proxy?:
    | { readonly kind: 'none' }
    | { readonly kind: 'jump'; readonly hops: string }
    | { readonly kind: 'command'; readonly command: string; readonly file: string; readonly line: number }
  hashKnownHosts?: boolean
  userKnownHostsFiles?: readonly string[]
  globalKnownHostsFiles?: readonly string[]
  connectTimeoutSeconds?: number | null
  serverAliveIntervalSeconds?: number | null
  preferredAuthentications?: readonly string[]
}

/** SSH_MAX_IDENTITY_FILES of OpenSSH. */
const mostIdentityFiles = 100

const takers: Readonly<Record<string, (draft: SettingsDraft, line: ConfigLine) => void>> = {
  hostname: (draft, line) => {
    draft.hostName ??= oneWord(line)
  },
  port: (draft, line) => {
    draft.port ??= portOf(line)
  },
  user: (draft, line) => {
    draft.user ??= oneWord(line)
  },
  identityfile: (draft, line) => {
    const path = oneWord(line)
    if (draft.identityFiles.includes(path)) return
    if (draft.identityFiles.length >= mostIdentityFiles) throw invalid(line.file, line.line, 'names more than 100 identity files')
    draft.identityFiles.push(path)
  },
  identitiesonly: (draft, line) => {
    draft.identitiesOnly ??= flagOf(line)
  },
  identityagent: (draft, line) => {
    draft.identityAgent ??= oneWord(line)
  },
  proxyjump: (draft, line) => {
    const hops = line.rest.trim()
    if (hops === '') throw withoutValue(line)
    draft.proxy ??= hops.toLowerCase() === 'none' ? { kind: 'none' } : { kind: 'jump', hops }
  },
  proxycommand: (draft, line) => {
    const command = line.rest.trim()
    if (command === '') throw withoutValue(line)
    const { file, line: number } = line
    draft.proxy ??= command.toLowerCase() === 'none' ? { kind: 'none' } : { kind: 'command', command, file, line: number }
  },
  hashknownhosts: (draft, line) => {
    draft.hashKnownHosts ??= flagOf(line)
  },
  userknownhostsfile: (draft, line) => {
    draft.userKnownHostsFiles ??= wordsOf(line)
  },
  globalknownhostsfile: (draft, line) => {
    draft.globalKnownHostsFiles ??= wordsOf(line)
  },
  connecttimeout: (draft, line) => {
    if (draft.connectTimeoutSeconds === undefined) draft.connectTimeoutSeconds = secondsOf(line)
  },
  serveraliveinterval: (draft, line) => {
    if (draft.serverAliveIntervalSeconds === undefined) draft.serverAliveIntervalSeconds = secondsOf(line)
  },
  preferredauthentications: (draft, line) => {
    draft.preferredAuthentications ??= oneWord(line).split(',')
  },
}

/** Whether a keyword means something here; all others are ignored. */
export function isConfigKeyword(keyword: string): boolean {
  return Object.hasOwn(takers, keyword)
}

/**
 * Takes the value of a line, unless an earlier line set it.
 * @throws EdgesmithError SSH_CONFIG_INVALID: no value, or one of the wrong kind
 */
export function takeSetting(draft: SettingsDraft, line: ConfigLine): void {
  takers[line.keyword]?.(draft, line)
}

function wordsOf(line: ConfigLine): readonly string[] {
  if (line.words === null) throw invalid(line.file, line.line, 'has a quote that is not closed')
  if (line.words.length === 0 || line.words.includes('')) throw withoutValue(line)
  return line.words
}

function oneWord(line: ConfigLine): string {
  const [word = '', ...more] = wordsOf(line)
  if (more.length > 0) throw invalid(line.file, line.line, `has more than one value for ${shownText(line.keyword)}`)
  return word
}

function portOf(line: ConfigLine): number {
  const word = oneWord(line)
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0
  if (port < 1 || port > 65_535) throw invalid(line.file, line.line, `has "${shownText(word, 40)}" where a port is expected`)
  return port
}

function flagOf(line: ConfigLine): boolean {
  const word = oneWord(line).toLowerCase()
  if (word === 'yes' || word === 'true') return true
  if (word === 'no' || word === 'false') return false
  throw invalid(line.file, line.line, `has "${shownText(word, 40)}" where yes or no is expected`)
}

/** `90`, `1m30s`, `2h`; null for `none` and 0. Source: TIME FORMATS in sshd_config(5). */
function secondsOf(line: ConfigLine): number | null {
  const word = oneWord(line).toLowerCase()
  if (word === 'none') return null
  if (word.length > 20 || !/^\d(?:\d|[smhdw](?=\d|$))*$/.test(word))
    throw invalid(line.file, line.line, `has "${shownText(word, 40)}" where a time is expected`)
  const factors: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }
  let seconds = 0
  for (const [, count, unit] of word.matchAll(/(\d+)([smhdw]?)/g)) seconds += Number(count) * (factors[unit || 's'] ?? 1)
  return seconds === 0 ? null : seconds
}

function withoutValue(line: ConfigLine) {
  return invalid(line.file, line.line, `has no value for ${shownText(line.keyword)}`)
}
