import { constants, copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SshDevice } from './ssh-device.ts'
import { ensureVmImage } from './vm-image.ts'
import { startVm, type VmProcess } from './vm-process.ts'

/** Test device C: a whole arm64 computer with its own kernel and systemd, emulated. */
export interface VmDevice extends Pick<SshDevice, 'host' | 'port' | 'user' | 'keyPath' | 'hostFingerprint'>, Pick<VmProcess, 'run'> {
  /** Switches it off; what was written to its disk is gone. */
  stop(): Promise<void>
}

/** Starts a copy of the machine from its snapshot; about ten seconds. */
export async function startVmDevice(): Promise<VmDevice> {
  const image = await ensureVmImage()
  const folder = mkdtempSync(join(tmpdir(), 'edgesmith-vm-disk-'))
  const disk = join(folder, 'disk.qcow2')
  // A snapshot can only be resumed in a disk that may be written to.
  copyFileSync(join(image.folder, 'disk.qcow2'), disk, constants.COPYFILE_FICLONE)
  const machine = await startVm(image.folder, disk, { fromSnapshot: true }).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true })
    throw error
  })
  return {
    host: '127.0.0.1',
    port: machine.port,
    user: 'pi',
    keyPath: image.keyPath,
    hostFingerprint: image.hostFingerprint,
    run: machine.run,
    stop: async () => {
      await machine.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
