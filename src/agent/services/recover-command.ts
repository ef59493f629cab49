import { basename, dirname, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { EdgesmithError } from '../../contract/errors.ts'
import { MachineServices } from './machine-services.ts'

/** The process that was cut off may take a moment to be gone. */
const tries = 40
const pauseMs = 250

/**
 * `agent recover FOLDER`: brings the service of a folder to where it was before a deploy that was cancelled.
 *
 * @returns the exit code: 0, or 1 when somebody else changes the service by now
 */
export async function recoverCommand(path: string): Promise<number> {
  const folder = resolve(path)
  const silent = { progress: () => undefined, log: () => undefined }
  const services = new MachineServices(dirname(dirname(folder)), `recovery ${process.pid} 0`, silent)
  for (let left = tries; left > 0; left--) {
    try {
      await services.recover(basename(folder))
      return 0
    } catch (error) {
      if (!(error instanceof EdgesmithError) || error.code !== 'DEVICE_BUSY') throw error
      await delay(pauseMs)
    }
  }
  return 1
}
