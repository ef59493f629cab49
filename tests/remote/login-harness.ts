import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runScript } from '../../src/remote/remote-script.ts'
import type { SshCredentials } from '../../src/remote/ssh-auth.ts'
import { connectSsh, type SshConnectionOptions } from '../../src/remote/ssh-connect.ts'
import type { SshDevice } from '../devices/ssh-device.ts'

/** Passphrase of keys made for tests. */
export const phrase = 'open sesame'

export type Changes = Partial<SshConnectionOptions>
/** Options for a device with its true fingerprint. */
export function options(to: SshDevice, logins: readonly SshCredentials[], changes: Changes = {}): SshConnectionOptions {
  return {
    host: to.host,
    port: to.port,
    user: to.user,
    logins,
    hostKey: to.hostFingerprint,
    knownHostsPath: join(to.folder, 'known_hosts'),
    systemKnownHostsPaths: [],
    ...changes,
  }
}
/** Connects and runs a command, which says that the log-in is whole. */
export async function login(to: SshDevice, logins: readonly SshCredentials[], changes: Changes = {}): Promise<string> {
  const connection = await connectSsh(options(to, logins, changes))
  try {
    return (await runScript(connection, 'echo in')).stdout.trim()
  } finally {
    connection.close()
  }
}
/** Lets a key in. */
export function allow(to: SshDevice, publicKeyPath: string): void {
  const path = join(to.home, '.ssh', 'authorized_keys')
  writeFileSync(path, `${readFileSync(path, 'utf8').trimEnd()}\n${readFileSync(publicKeyPath, 'utf8')}`)
}
