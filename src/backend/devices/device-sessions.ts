import { join } from 'node:path'
import { type Device, LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { DeviceSession } from '../../remote/device-session.ts'
import { openLocalSession } from '../../remote/local-session.ts'
import type { SshCredentials } from '../../remote/ssh-auth.ts'
import { openSshSession, type SshSession } from '../../remote/ssh-session.ts'
import type { DeviceRepository } from '../../storage/device-repository.ts'
import type { ProgramLayout } from '../program-layout.ts'
import { devicePasswordKey, type SecretStore } from '../secret-store.ts'
import { agentBundles } from './agent-bundles.ts'

/** How to reach a device that may not be stored yet. */
export interface ConnectionAttempt {
  readonly connection: NonNullable<Device['connection']>
  /** Fingerprint confirmed when the device was added; null for a device being added. */
  readonly confirmedHostKey: string | null
  /** Fingerprint the user gives now; it is written to the workspace's known_hosts. */
  readonly expectedHostKey?: string | undefined
  readonly password: string | null
}

/** One open session for each device, opened on first use and again after a lost link. */
export class DeviceSessions {
  private readonly workspace: string
  private readonly layout: ProgramLayout
  private readonly devices: DeviceRepository
  private readonly secrets: SecretStore
  private readonly sessions = new Map<string, Promise<DeviceSession>>()

  constructor(workspace: string, layout: ProgramLayout, devices: DeviceRepository, secrets: SecretStore) {
    this.workspace = workspace
    this.layout = layout
    this.devices = devices
    this.secrets = secrets
  }

  /** The session of a stored device. @throws EdgesmithError of the connection (`DEVICE_UNREACHABLE`, `HOST_KEY_CHANGED`, …) */
  async open(deviceId: string): Promise<DeviceSession> {
    const known = this.sessions.get(deviceId)
    if (known) {
      const session = await known.catch(() => undefined)
      if (session && !session.closed) return session
    }
    const opening = this.connect(this.devices.get(deviceId))
    this.sessions.set(deviceId, opening)
    opening.catch(() => this.sessions.delete(deviceId))
    return opening
  }

  /** Connects without keeping the session: for a device being added. */
  attempt({ connection, confirmedHostKey, expectedHostKey, password }: ConnectionAttempt): Promise<SshSession> {
    const { host, port, user, auth } = connection
    return openSshSession({
      host,
      port,
      user,
      credentials: credentialsOf(auth, password),
      hostKey: confirmedHostKey,
      expectedHostKey,
      knownHostsPath: join(this.workspace, 'known_hosts'),
      bundle: agentBundles(this.layout),
    })
  }

  /** Keeps an open session under the id its device got. */
  keep(deviceId: string, session: DeviceSession): void {
    this.sessions.set(deviceId, Promise.resolve(session))
  }

  /** Closes the session of a device, if there is one. */
  async drop(deviceId: string): Promise<void> {
    const session = await this.sessions.get(deviceId)?.catch(() => undefined)
    this.sessions.delete(deviceId)
    session?.close()
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((id) => this.drop(id)))
  }

  private async connect(device: Device): Promise<DeviceSession> {
    if (device.id === LOCAL_DEVICE_ID || !device.connection) {
      return openLocalSession({
        root: join(this.workspace, 'this-computer'),
        agentFolder: this.layout.agentFolder,
        nodePath: process.execPath,
      })
    }
    const password = await this.password(device.id, device.connection.auth)
    return this.attempt({ connection: device.connection, confirmedHostKey: device.hostKey, password })
  }

  private async password(deviceId: string, auth: NonNullable<Device['connection']>['auth']): Promise<string | null> {
    if (auth.method !== 'password') return null
    const password = auth.environmentVariable
      ? (process.env[auth.environmentVariable] ?? null)
      : await this.secrets.get(devicePasswordKey(deviceId))
    if (password === null) {
      throw new EdgesmithError(
        'PASSWORD_NEEDED',
        auth.environmentVariable
          ? `The variable ${auth.environmentVariable} with the password of this device is not set`
          : 'The password of this device is not stored',
        { hint: 'Set the variable (command line), or remove the device and add it again (window).' },
      )
    }
    return password
  }
}

function credentialsOf(auth: NonNullable<Device['connection']>['auth'], password: string | null): SshCredentials {
  switch (auth.method) {
    case 'key':
      return { method: 'key', keyPath: auth.keyPath }
    case 'password':
      return { method: 'password', password: password ?? '' }
    case 'agent':
      return { method: 'agent' }
  }
}

/**
 * Which queue a device's work stands in. A device reached over loopback (a container, a virtual machine, a test device) shares
 * the processor with this computer, so it shares its queue too.
 */
export function machineKey(device: Device): string {
  const host = device.connection?.host
  if (host === undefined || host === 'localhost' || host === '::1' || host.startsWith('127.')) return 'local'
  return `${host}:${device.connection?.port}`
}
