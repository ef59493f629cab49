import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceProcess } from './device-processes.ts'
import { startInetdServer } from './inetd-server.ts'
import { namespaceProblem, openNamespace } from './namespace.ts'
import { type SshDevice, type SshDeviceOptions, sshdPath, startSshDevice } from './ssh-device.ts'

export interface ClosedDeviceOptions extends SshDeviceOptions {
  /** Programs may not run from the home directory. */
  readonly noexecHome?: boolean
  /** The home directory lies on a disk of this size. */
  readonly homeBytes?: number
}

/** Why no such device can be started here; null when one can. */
export function closedDeviceProblem(): string | null {
  return namespaceProblem(false, 'mount -t proc proc /proc')
}

/**
 * Test device A without any network but its own loopback (connections reach it through a socket of this computer), and with a home
 * directory on a disk of its own where that is asked for. As root only.
 */
export async function startClosedDevice(options: ClosedDeviceOptions = {}): Promise<SshDevice> {
  const open = await startSshDevice(options)
  const { uid, gid } = statSync(open.home)
  const ownDisk = options.noexecHome === true || options.homeBytes !== undefined
  const size = `size=${options.homeBytes ?? 1 << 30}${options.noexecHome ? ',noexec' : ''}`
  try {
    const space = await openNamespace('closed-namespace.sh', [open.home, ownDisk ? `mode=700,uid=${uid},gid=${gid},${size}` : ''], {
      users: false,
    })
    const keys = join(open.folder, 'id.pub')
    const config = ['-f', join(open.folder, 'sshd_config'), '-o', `AuthorizedKeysFile=${keys}`, '-E', join(open.folder, 'sshd.log')]
    const server = await startInetdServer(space.enter(sshdPath(), '-i', ...config))
    return {
      ...open,
      port: server.port,
      home: ownDisk ? space.pathHere(open.home) : open.home,
      processes: () => space.processes().filter((process) => !isServer(process)),
      cutConnections: () => {
        for (const { pid } of space.processes().filter(isServer)) process.kill(pid, 'SIGKILL')
      },
      stop: async () => {
        const stopped = server.stop()
        await space.close()
        await stopped
        await open.stop()
      },
    }
  } catch (error) {
    await open.stop()
    throw error
  }
}

/** OpenSSH's server, before and after it has named itself for a connection. */
export function isServer({ command }: DeviceProcess): boolean {
  return command.startsWith('sshd') || command.includes('/sshd -i')
}
