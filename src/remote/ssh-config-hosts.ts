import { configHostSchema } from '../contract/device.ts'
import type { SshConfigHost } from '../contract/device-link.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { localUserName } from './local-user.ts'
import { resolveSshConfig } from './ssh-config.ts'
import { type ConfigPart, readConfigFiles, type SshEnvironment } from './ssh-config-files.ts'
import { expandPath } from './ssh-config-tokens.ts'
import { sshEnvironment } from './ssh-target.ts'

/** A list to choose from; nobody scrolls through more. */
const mostHosts = 1000

/**
 * Hosts the user's SSH configuration names without a pattern, in the order of the file. A host whose settings cannot be used is left out here;
 * adding it by its name says what is wrong.
 * @throws EdgesmithError SSH_CONFIG_INVALID: a file cannot be read
 */
export async function listSshConfigHosts(environment: SshEnvironment = sshEnvironment()): Promise<SshConfigHost[]> {
  const files = await readConfigFiles(environment)
  const aliases = new Set<string>()
  for (const file of files) collectAliases(file, aliases)
  const localUser = localUserName()
  const hosts: SshConfigHost[] = []
  for (const alias of aliases) {
    try {
      const settings = resolveSshConfig(files, { alias, localUser })
      const port = settings.port ?? 22
      const user = settings.user ?? localUser
      if (user === '') continue
      const tokens = { alias, host: settings.hostName, port, user, localUser, home: environment.home }
      const identityFiles = settings.identityFiles.filter((path) => path.toLowerCase() !== 'none').map((path) => expandPath(path, tokens))
      hosts.push({ alias, host: settings.hostName, port, user, identityFiles, proxyJump: settings.proxyJump })
    } catch (error) {
      if (!(error instanceof EdgesmithError)) throw error
    }
  }
  return hosts
}

function collectAliases(parts: readonly ConfigPart[], aliases: Set<string>): void {
  for (const part of parts) {
    if ('included' in part) for (const file of part.included) collectAliases(file, aliases)
    else if (part.keyword === 'host') {
      for (const word of part.words ?? []) {
        if (aliases.size < mostHosts && configHostSchema.safeParse(word).success) aliases.add(word)
      }
    }
  }
}
