import { isIP } from 'node:net'
import { EdgesmithError } from '../contract/errors.ts'
import { matchesWildcards } from '../core/wildcards.ts'
import { matchesPatternList } from './openssh-pattern.ts'
import { shownText } from './shown-text.ts'
import { type ConfigPart, invalid } from './ssh-config-files.ts'
import { type ConfigLine, matchWords } from './ssh-config-lines.ts'
import { isConfigKeyword, type SettingsDraft, takeSetting } from './ssh-config-settings.ts'
import { expandTokens } from './ssh-config-tokens.ts'

/** What the configuration says about one host. Paths and jump hosts are as written: not expanded. */
export interface SshSettings {
  /** Address to connect to; names in lower case. */
  readonly hostName: string
  readonly port: number | null
  readonly user: string | null
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  readonly identityAgent: string | null
  /** Null also for `none`. */
  readonly proxyJump: string | null
  readonly hashKnownHosts: boolean
  readonly userKnownHostsFiles: readonly string[] | null
  readonly globalKnownHostsFiles: readonly string[] | null
  readonly connectTimeoutSeconds: number | null
  readonly serverAliveIntervalSeconds: number | null
  readonly preferredAuthentications: readonly string[] | null
  /** A program would have to be run to reach the host. */
  readonly proxyCommand: { readonly command: string; readonly file: string; readonly line: number } | null
  /** What could not be decided, for the log. */
  readonly warnings: readonly string[]
}

/** For whom the configuration is resolved. */
export interface SshQuery {
  /** Name or address as the user gives it. */
  readonly alias: string
  /** Given by the user, which wins over the configuration. */
  readonly user?: string | undefined
  readonly port?: number | undefined
  /** User of this computer. */
  readonly localUser: string
}

/**
 * Settings of a host by OpenSSH's rules: of each keyword the first value counts (IdentityFile collects all), a `Host` or `Match` line opens
 * a block that holds to the next one, and `Match final` blocks are looked at in a second pass. `Match exec` never applies: no program is run.
 * Source: ssh_config(5), readconf.c (process_config_line_depth, match_cfg_line).
 * @throws EdgesmithError SSH_CONFIG_INVALID with file and line: a value in a block that applies cannot be used
 */
export function resolveSshConfig(files: readonly (readonly ConfigPart[])[], query: SshQuery): SshSettings {
  const resolver = new Resolver(query)
  for (const file of files) resolver.pass(file)
  if (resolver.wantsFinalPass) {
    resolver.beginFinalPass()
    for (const file of files) resolver.pass(file)
  }
  return resolver.settings()
}

class Resolver {
  readonly #query: SshQuery
  readonly #draft: SettingsDraft
  readonly #warnings = new Set<string>()
  #final = false
  /** What `Host` lines are compared with: the given name, in the final pass the address. */
  #matchedName: string
  wantsFinalPass = false

  constructor(query: SshQuery) {
    this.#query = query
    this.#matchedName = query.alias
    this.#draft = { identityFiles: [], user: query.user, port: query.port }
  }

  /** The address found by then is not set again. */
  beginFinalPass(): void {
    this.#matchedName = lowerName(this.#hostName())
    this.#draft.hostName = this.#matchedName.replaceAll('%', '%%')
    this.#final = true
  }

  /** One file from its first line, where everything applies. */
  pass(parts: readonly ConfigPart[]): void {
    this.#walk(parts, true, true)
  }

  /** @param reachable false: inside a block that does not apply, from which no block of an included file leads out */
  #walk(parts: readonly ConfigPart[], startActive: boolean, reachable: boolean): void {
    let active = startActive
    for (const part of parts) {
      if ('included' in part) {
        for (const file of part.included) this.#walk(file, active, active && reachable)
      } else if (part.keyword === 'host') {
        active = this.#hostApplies(part) && reachable
      } else if (part.keyword === 'match') {
        active = this.#matchApplies(part) && reachable
      } else if (active && isConfigKeyword(part.keyword)) {
        takeSetting(this.#draft, part)
      }
    }
  }

  #hostApplies(line: ConfigLine): boolean {
    if (line.words === null || line.rest === '') throw invalid(line.file, line.line, 'has a Host without a pattern')
    let applies = false
    for (const word of line.words) {
      const negated = word.startsWith('!')
      if (!matchesWildcards(negated ? word.slice(1) : word, this.#matchedName)) continue
      if (negated) return false
      applies = true
    }
    return applies
  }

  #matchApplies(line: ConfigLine): boolean {
    const words = matchWords(line.rest)
    if (words.length === 0) throw invalid(line.file, line.line, 'has a Match without a criterion')
    let applies = true
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? ''
      const negated = word.startsWith('!')
      const criterion = word.slice(negated ? 1 : 0).toLowerCase()
      if (criterion === 'all') {
        if (words.length > 1) throw invalid(line.file, line.line, 'has a Match all beside other criteria')
        return !negated
      }
      if (criterion === 'canonical' || criterion === 'final') {
        if (criterion === 'final') this.wantsFinalPass = true
        if (this.#final === negated) applies = false
        continue
      }
      const argument = words[++at]
      if (argument === undefined) throw invalid(line.file, line.line, `has a Match ${shownText(criterion)} without a value`)
      const matches = this.#criterion(criterion, argument)
      if (matches === null) {
        const place = `${line.file}:${line.line}`
        this.#warnings.add(
          criterion === 'exec'
            ? `${place}: the block of "Match exec" is left out, because it would run a program`
            : `${place}: the block of "Match ${shownText(criterion, 40)}" is left out, because that criterion is not decided here`,
        )
        applies = false
      } else if (matches === negated) applies = false
    }
    return applies
  }

  /** Null for criteria that cannot be decided without running a program or looking at the network. */
  #criterion(criterion: string, argument: string): boolean | null {
    switch (criterion) {
      case 'host':
        return matchesPatternList(argument.toLowerCase(), this.#hostName().toLowerCase())
      case 'originalhost':
        return matchesPatternList(argument.toLowerCase(), this.#query.alias.toLowerCase())
      case 'user':
        return matchesPatternList(argument, this.#draft.user ?? this.#query.localUser)
      case 'localuser':
        return matchesPatternList(argument, this.#query.localUser)
      default:
        return null
    }
  }

  /** `HostName` knows only two tokens, and means the given name by %h. */
  #hostName(): string {
    const { alias, localUser } = this.#query
    const written = this.#draft.hostName
    if (written === undefined) return alias
    return expandTokens(written, { alias, host: alias, port: 0, user: '', localUser, home: '' }, '%h')
  }

  settings(): SshSettings {
    const draft = this.#draft
    const hostName = lowerName(this.#hostName())
    if (hostName.length === 0 || hostName.length > 255) throw new EdgesmithError('SSH_CONFIG_INVALID', 'The host has no usable name')
    return {
      hostName,
      port: draft.port ?? null,
      user: draft.user ?? null,
      identityFiles: draft.identityFiles,
      identitiesOnly: draft.identitiesOnly ?? false,
      identityAgent: draft.identityAgent ?? null,
      proxyJump: draft.proxy?.kind === 'jump' ? draft.proxy.hops : null,
      hashKnownHosts: draft.hashKnownHosts ?? false,
      userKnownHostsFiles: draft.userKnownHostsFiles ?? null,
      globalKnownHostsFiles: draft.globalKnownHostsFiles ?? null,
      connectTimeoutSeconds: draft.connectTimeoutSeconds ?? null,
      serverAliveIntervalSeconds: draft.serverAliveIntervalSeconds ?? null,
      preferredAuthentications: draft.preferredAuthentications ?? null,
      proxyCommand: draft.proxy?.kind === 'command' ? draft.proxy : null,
      warnings: [...this.#warnings],
    }
  }
}

/** Names only: an address stays as it was written. */
function lowerName(host: string): string {
  return isIP(host) === 0 ? host.toLowerCase() : host
}
