import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { DeviceFile, DeviceSession } from '../../src/remote/device-session.ts'
import { openLocalSession } from '../../src/remote/local-session.ts'
import { openSshSession, type SshSession, type SshSessionOptions } from '../../src/remote/ssh-session.ts'
import { listProcesses } from '../devices/device-processes.ts'
import { type SshDevice, type SshDeviceOptions, startSshDevice } from '../devices/ssh-device.ts'
import { makeStandIn, type StandIn } from './stand-in-agent.ts'

/** Test device A with a stand-in agent. */
export interface HarnessedDevice {
  readonly device: SshDevice
  readonly standIn: StandIn
  /** Options for this device with key log-in and its true fingerprint; `known_hosts` of whoever runs the tests is left out. */
  options(changes?: Partial<SshSessionOptions>): SshSessionOptions
  open(changes?: Partial<SshSessionOptions>): Promise<SshSession>
  stop(): Promise<void>
}

export async function startHarnessedDevice(options?: SshDeviceOptions): Promise<HarnessedDevice> {
  const device = await startSshDevice(options)
  const standIn = makeStandIn(device.folder)
  const sessionOptions = (changes: Partial<SshSessionOptions> = {}): SshSessionOptions => ({
    host: device.host,
    port: device.port,
    user: device.user,
    logins: [{ method: 'key', keyPath: device.keyPath }],
    hostKey: device.hostFingerprint,
    knownHostsPath: join(device.folder, 'known_hosts'),
    systemKnownHostsPaths: [],
    bundle: standIn.bundle,
    ...changes,
  })
  return {
    device,
    standIn,
    options: sessionOptions,
    open: (changes) => openSshSession(sessionOptions(changes)),
    stop: () => device.stop(),
  }
}

/** A session of either kind, for what both must do alike. */
export interface AnySession {
  readonly session: DeviceSession
  readonly standIn: StandIn
  /** Another session with the same machine. */
  again(): Promise<DeviceSession>
  stop(): Promise<void>
}

export async function startAnySession(kind: 'ssh' | 'local'): Promise<AnySession> {
  if (kind === 'ssh') {
    const harnessed = await startHarnessedDevice()
    const session = await harnessed.open()
    return {
      session,
      standIn: harnessed.standIn,
      again: () => harnessed.open(),
      stop: async () => {
        session.close()
        await harnessed.stop()
      },
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-local-'))
  const standIn = makeStandIn(folder)
  const open = () => openLocalSession({ root: join(folder, 'root'), agentFolder: standIn.agentFolder, nodePath: process.execPath })
  return {
    session: open(),
    standIn,
    again: async () => open(),
    stop: async () => {
      await open().removeEverything()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A file of this computer, described as a device wants it. */
export function makeFile(path: string, content: Buffer | string): DeviceFile {
  const bytes = Buffer.from(content)
  writeFileSync(path, bytes)
  return { path, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length }
}

/** Whether a process runs; one that ended and was not yet waited for by its parent does not. */
export function isAlive(pid: number): boolean {
  return listProcesses().some((process) => process.pid === pid)
}

/** Waits until something is so; fails the test when it never is. */
export async function eventually(what: string, isSo: () => boolean, timeoutMs = 15_000): Promise<void> {
  for (let waited = 0; waited < timeoutMs; waited += 20) {
    if (isSo()) return
    await delay(20)
  }
  throw new Error(`never happened: ${what}`)
}
