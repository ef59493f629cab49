import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'

/** What the tokens of ssh_config(5) stand for. */
export interface TokenContext {
  /** The name as it was given (`%n`). */
  readonly alias: string
  /** The name after HostName was applied (`%h`). */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly localUser: string
  readonly home: string
}

const allTokens = '%CdhikLlnpru'
/** A value of the configuration has one line; what it grows to has a limit too. */
const longestValue = 4096

/**
 * Replaces `%` tokens in a value. Source: TOKENS in ssh_config(5).
 * @param allowed letters that are known for this keyword; default: those of IdentityFile
 * @throws EdgesmithError SSH_CONFIG_INVALID: an unknown token
 */
export function expandTokens(value: string, context: TokenContext, allowed = allTokens): string {
  const { alias, host, port, user, localUser, home } = context
  const expanded = value.replace(/%(.?)/gs, (_all, letter: string) => {
    if (letter === '' || !allowed.includes(letter)) throw badValue(value, `the token %${shownText(letter)} is not known here`)
    switch (letter) {
      case 'C':
        return createHash('sha1').update(`${hostname()}${host}${port}${user}`).digest('hex')
      case 'd':
        return home
      case 'h':
        return host
      case 'i':
        return String(process.getuid?.() ?? 0)
      case 'k':
      case 'n':
        return alias
      case 'L':
        return hostname().replace(/\..*$/s, '')
      case 'l':
        return hostname()
      case 'p':
        return String(port)
      case 'r':
        return user
      case 'u':
        return localUser
      default:
        return '%'
    }
  })
  if (expanded.length > longestValue) throw badValue(value, `it becomes longer than ${longestValue} characters`)
  return expanded
}

/**
 * A path as IdentityFile, IdentityAgent and UserKnownHostsFile have it: `${VARIABLE}`, tokens, and `~` at the start.
 * @throws EdgesmithError SSH_CONFIG_INVALID: an unknown token, a variable that is not set, a home directory that is not known
 */
export function expandPath(value: string, context: TokenContext): string {
  const withVariables = value.replace(/\$\{([^}]*)\}/g, (_all, name: string) => {
    const found = process.env[name]
    if (found === undefined) throw badValue(value, `the variable ${shownText(name)} is not set`)
    return found.replaceAll('%', '%%')
  })
  const path = expandTokens(withVariables, context)
  if (!path.startsWith('~')) return path
  const [, owner = '', below = ''] = /^~([^/]*)\/?(.*)$/s.exec(path) ?? []
  if (owner !== '' && owner !== context.localUser) throw badValue(value, `the home directory of ${shownText(owner)} is not looked up`)
  return join(context.home, below)
}

function badValue(value: string, why: string): EdgesmithError {
  return new EdgesmithError('SSH_CONFIG_INVALID', `The value "${shownText(value)}" of the SSH configuration cannot be used: ${why}`, {
    hint: 'Write it out in the configuration, or add the device by its address.',
  })
}
