import { join } from 'node:path'
import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import type { DeviceSession } from '../../remote/device-session.ts'
import { openLocalSession } from '../../remote/local-session.ts'
import { openSshSession, type SshSession } from '../../remote/ssh-session.ts'
import { resolveSshTarget } from '../../remote/ssh-target.ts'
import type { DeviceRepository } from '../../storage/device-repository.ts'
import type { ProgramLayout } from '../program-layout.ts'
import { devicePassphraseKey, devicePasswordKey, type SecretStore } from '../secret-store.ts'
import { agentBundles } from './agent-bundles.ts'
import type { DeviceLinks } from './device-links.ts'
import type { DeviceLog } from './device-log.ts'
import type { Questions } from './questions.ts'

/** How to reach a device that may not be stored yet. */
export interface ConnectionAttempt {
  /** The device's id, also of one that is being added: its state and log are kept under it. */
  readonly deviceId: string
  readonly connection: NonNullable<Device['connection']>
  /** Fingerprint confirmed when the device was added; null for a device being added. */
  readonly confirmedHostKey: string | null
  /** Fingerprint of the device that the user gives now, and of jump hosts; they are written to the workspace's known_hosts. */
  readonly expectedHostKey: string | null
  readonly expectedJumpHostKeys: readonly string[]
  /** Password of the user, or passphrase of the key. */
  readonly secret: string | null
}

/** What sessions need from the rest of the backend. */
export interface SessionSurroundings {
  readonly workspace: string
  readonly layout: ProgramLayout
  readonly devices: DeviceRepository
  readonly secrets: SecretStore
  readonly links: DeviceLinks
  readonly log: DeviceLog
  readonly questions: Questions
}

/** One open session for each device, opened on first use and again after a lost link. */
export class DeviceSessions {
  readonly links: DeviceLinks
  readonly log: DeviceLog
  private readonly around: SessionSurroundings
  private readonly sessions = new Map<string, Promise<DeviceSession>>()
  private readonly attempts = new Map<string, AbortController>()

  constructor(around: SessionSurroundings) {
    this.around = around
    this.links = around.links
    this.log = around.log
  }

  /** The session of a stored device. @throws EdgesmithError of the connection (`DEVICE_UNREACHABLE`, `HOST_KEY_CHANGED`, …) */
  async open(deviceId: string): Promise<DeviceSession> {
    const known = this.sessions.get(deviceId)
    if (known) {
      const session = await known.catch(() => undefined)
      if (session && !session.closed) return session
      // A link that was given up must not come back beside the new one.
      session?.close()
      // Another caller may have begun to open it again meanwhile.
      const newer = this.sessions.get(deviceId)
      if (newer !== undefined && newer !== known) return newer
    }
    const opening = this.connect(this.around.devices.get(deviceId))
    this.sessions.set(deviceId, opening)
    opening.catch(() => {
      if (this.sessions.get(deviceId) === opening) this.sessions.delete(deviceId)
    })
    return opening
  }

  /** The session of a device that is connected, or being connected; null without. */
  async opened(deviceId: string): Promise<DeviceSession | null> {
    const session = await this.sessions.get(deviceId)?.catch(() => undefined)
    return session && !session.closed ? session : null
  }

  /** Connects without keeping the session: for a device being added. */
  async attempt(asked: ConnectionAttempt): Promise<SshSession> {
    const { deviceId, connection, expectedHostKey, secret } = asked
    const { workspace, layout, links, questions } = this.around
    const say = (text: string) => this.say(deviceId, text)
    const controller = new AbortController()
    this.attempts.set(deviceId, controller)
    links.set(deviceId, { state: 'connecting', attempts: 0, nextAttemptAt: null, error: null })
    try {
      const isKey = connection.auth.method === 'key'
      const secrets = { password: isKey ? null : secret, passphrase: isKey ? secret : null }
      const { warnings, ...target } = await resolveSshTarget(connection, secrets)
      for (const warning of warnings) say(warning)
      return await openSshSession({
        ...target,
        hostKey: asked.confirmedHostKey,
        expectedHostKeys: expectedHostKey === null ? [] : [expectedHostKey],
        expectedJumpHostKeys: asked.expectedJumpHostKeys,
        knownHostsPath: join(workspace, 'known_hosts'),
        ask: questions.asker,
        bundle: agentBundles(layout),
        onLink: (link) => links.set(deviceId, link),
        onLog: say,
        signal: controller.signal,
      })
    } catch (error) {
      links.failed(deviceId, error)
      const { code, message } = toErrorReport(error)
      say(`${code}: ${message}`)
      throw error
    } finally {
      if (this.attempts.get(deviceId) === controller) this.attempts.delete(deviceId)
    }
  }

  /** Keeps an open session under the id its device got. */
  keep(deviceId: string, session: DeviceSession): void {
    this.sessions.set(deviceId, Promise.resolve(session))
  }

  /** Closes the session of a device, if there is one; one that is being opened is given up. */
  async drop(deviceId: string): Promise<void> {
    this.attempts.get(deviceId)?.abort()
    const opening = this.sessions.get(deviceId)
    this.sessions.delete(deviceId)
    const session = await opening?.catch(() => undefined)
    if (session) this.say(deviceId, 'Connection closed')
    session?.close()
    this.links.idle(deviceId)
  }

  async close(): Promise<void> {
    for (const attempt of this.attempts.values()) attempt.abort()
    await Promise.all([...this.sessions.keys()].map((id) => this.drop(id)))
  }

  say(deviceId: string, text: string): void {
    this.log.add(deviceId, new Date().toISOString(), text)
  }

  private async connect(device: Device): Promise<DeviceSession> {
    const { workspace, layout } = this.around
    if (device.id === LOCAL_DEVICE_ID || !device.connection) {
      const session = openLocalSession({
        root: join(workspace, 'this-computer'),
        agentFolder: layout.agentFolder,
        nodePath: process.execPath,
      })
      this.links.set(device.id, { state: 'ready', attempts: 0, nextAttemptAt: null, error: null })
      return session
    }
    const secret = await this.secret(device.id, device.connection.auth)
    return this.attempt({
      deviceId: device.id,
      connection: device.connection,
      confirmedHostKey: device.hostKey,
      expectedHostKey: null,
      expectedJumpHostKeys: [],
      secret,
    })
  }

  /** Password or passphrase that is stored or in a variable; null leaves it to a question. */
  private async secret(deviceId: string, auth: NonNullable<Device['connection']>['auth']): Promise<string | null> {
    const { secrets } = this.around
    if (auth.method !== 'password' && auth.method !== 'key') return null
    const variable = auth.method === 'password' ? auth.environmentVariable : auth.passphraseVariable
    if (auth.method === 'key') {
      const passphrase = variable === null ? await secrets.get(devicePassphraseKey(deviceId)) : (process.env[variable] ?? null)
      if (passphrase === null && variable !== null && !this.around.questions.somebodyAnswers) {
        throw new EdgesmithError('PASSWORD_NEEDED', `The variable ${variable} with the passphrase of ${auth.keyPath} is not set`, {
          hint: 'Set the variable, or remove the device and add it again with the ssh-agent.',
        })
      }
      return passphrase
    }
    const password = variable === null ? await secrets.get(devicePasswordKey(deviceId)) : (process.env[variable] ?? null)
    if (password === null && (variable !== null || !this.around.questions.somebodyAnswers)) {
      throw new EdgesmithError(
        'PASSWORD_NEEDED',
        variable === null
          ? 'The password of this device is not stored'
          : `The variable ${variable} with the password of this device is not set`,
        { hint: 'Set the variable (command line), or remove the device and add it again (window).' },
      )
    }
    return password
  }
}

/**
 * Which queue a device's work stands in. A device reached over loopback (a container, a virtual machine, a test device) shares
 * the processor with this computer, so it shares its queue too.
 */
export function machineKey(device: Device): string {
  if (!device.connection) return 'local'
  const { host, port, jump } = device.connection
  const isLoopback = host === 'localhost' || host === '::1' || host.startsWith('127.')
  // Behind a jump host it is that host's loopback.
  return isLoopback && jump === null ? 'local' : `${jump === null ? '' : `${jump} `}${host}:${port}`
}
