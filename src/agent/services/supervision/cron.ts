import { readdir, readFile } from 'node:fs/promises'
import { EdgesmithError } from '../../../contract/errors.ts'
import { hasCronLine, withCronLine, withoutCronLine } from './cron-text.ts'
import { startDetached } from './detached.ts'
import type { Keeper } from './keeper.ts'
import { mostToolText, runTool } from './run-tool.ts'

/** A line `@reboot` in the user's crontab. */
export class CronLine implements Keeper {
  readonly kind = 'cron'
  readonly #folder: string
  /** The same as it stands in a crontab, which is read and written byte by byte: its other lines are not ours to change. */
  readonly #written: string

  constructor(folder: string) {
    this.#folder = folder
    this.#written = Buffer.from(folder, 'utf8').toString('latin1')
  }

  async problem(): Promise<string | null> {
    if (!(await isCronRunning())) return 'no cron runs on the machine'
    return (await readCrontab()) === null ? 'the user may not use cron' : null
  }

  async isInstalled(): Promise<boolean> {
    const crontab = await readCrontab()
    return crontab !== null && hasCronLine(crontab, this.#written)
  }

  async install(): Promise<void> {
    const crontab = await readCrontab()
    if (crontab === null) {
      throw new EdgesmithError('DEVICE_COMMAND_FAILED', 'The crontab of the user cannot be read, so it is not changed.', {
        hint: 'See what "crontab -l" says on the device, then deploy again.',
      })
    }
    await this.#write(withCronLine(crontab, this.#written))
  }

  start(): Promise<void> {
    return startDetached(this.#folder)
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  async uninstall(): Promise<void> {
    const crontab = await readCrontab()
    if (crontab === null || !hasCronLine(crontab, this.#written)) return
    const rest = withoutCronLine(crontab, this.#written)
    if (rest.trim() === '') await runTool('crontab', ['-r'])
    else await this.#write(rest)
  }

  async rebootNote(): Promise<string | null> {
    if (!(await this.isInstalled())) return 'Its line is gone from the crontab: deploy again.'
    return (await isCronRunning()) ? null : 'Cron, which shall start it with the machine, does not run.'
  }

  async #write(crontab: string): Promise<void> {
    const { code, errors } = await runTool('crontab', ['-'], { input: crontab, encoding: 'latin1' })
    if (code === 0) return
    throw new EdgesmithError('DEVICE_COMMAND_FAILED', `The crontab could not be written: ${errors.trim() || `code ${code}`}`, {
      hint: 'It is as it was. See what "crontab -l" says on the device, then deploy again.',
    })
  }
}

/** One character a byte. Null where the user may not use cron, or it cannot be read whole; empty where he has no crontab. */
async function readCrontab(): Promise<string | null> {
  const { code, output, errors } = await runTool('crontab', ['-l'], { encoding: 'latin1' })
  if (code === 0) return output.length < mostToolText ? output : null
  return code === 1 && /no crontab for|can't open/i.test(errors) ? '' : null
}

/** The one of BusyBox does not know `@reboot`. */
async function isCronRunning(): Promise<boolean> {
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    const comm = (await readFile(`/proc/${name}/comm`, 'utf8').catch(() => '')).trim()
    if (comm !== 'cron' && comm !== 'crond') continue
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0')
    if (!/busybox/.test(words[0] ?? '')) return true
  }
  return false
}
