import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'
import { type DurableFiles, diskFiles, makeDurableFolder, replaceFile } from '../../../platform/durable-files.ts'
import type { Keeper } from './keeper.ts'
import { runTool } from './run-tool.ts'
import { unitName, userName } from './unit-name.ts'
import { type UnitPlaces, userUnitText } from './unit-text.ts'

/** Says, in the folder of all services, that linger was turned on for them. */
const lingerMark = 'linger-turned-on'

/** A unit of the user's own systemd, which lingers: it runs from boot on, without a login. */
export class UserUnit implements Keeper {
  readonly kind = 'user-unit'
  readonly #places: UnitPlaces
  readonly #name: string
  readonly #files: DurableFiles = diskFiles

  constructor(places: UnitPlaces) {
    this.#places = places
    this.#name = unitName(places.root, places.service)
  }

  get #folder(): string {
    return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd', 'user')
  }

  get #path(): string {
    return join(this.#folder, this.#name)
  }

  async problem(): Promise<string | null> {
    if (!existsSync('/run/systemd/system')) return 'the machine is not run by systemd'
    const { code, errors } = await runTool('systemctl', ['--user', 'show', '--property=Version'])
    if (code !== 0) return `the user has no systemd of his own: ${errors.trim().split('\n')[0] ?? ''}`
    if (isLingering()) return null
    await runTool('loginctl', ['enable-linger', userName()])
    if (!isLingering()) return 'it would end with the last login: linger is off and may not be turned on'
    await replaceFile(this.#files, join(this.#places.root, lingerMark), '')
    return null
  }

  async isInstalled(): Promise<boolean> {
    return existsSync(this.#path)
  }

  async install(): Promise<void> {
    await makeDurableParents(this.#files, this.#folder)
    await replaceFile(this.#files, this.#path, userUnitText(this.#places), { mode: 0o644 })
    await this.#run(['daemon-reload'])
    await this.#run(['enable', this.#name])
  }

  async start(): Promise<void> {
    await runTool('systemctl', ['--user', 'reset-failed', this.#name])
    await this.#run(['restart', this.#name])
  }

  async stop(): Promise<void> {
    if (await this.isInstalled()) await this.#run(['stop', this.#name])
  }

  async uninstall(): Promise<void> {
    if (existsSync(this.#path)) {
      // Without a systemd to tell (it was switched off meanwhile) the files still go.
      await runTool('systemctl', ['--user', 'disable', '--now', this.#name], { timeoutMs: 120_000 })
      await this.#files.remove(this.#path)
      await this.#files.remove(join(this.#folder, 'default.target.wants', this.#name))
      await runTool('systemctl', ['--user', 'daemon-reload'])
      await runTool('systemctl', ['--user', 'reset-failed', this.#name])
      await removeEmptyFolders([
        join(this.#folder, 'default.target.wants'),
        this.#folder,
        dirname(this.#folder),
        dirname(dirname(this.#folder)),
      ])
    }
    const mark = join(this.#places.root, lingerMark)
    if (!existsSync(mark)) return
    const others = (await readdir(this.#folder).catch(() => [])).some((name) => name.startsWith('edgesmith-'))
    if (others) return
    await runTool('loginctl', ['disable-linger', userName()])
    await this.#files.remove(mark)
  }

  async rebootNote(): Promise<string | null> {
    const { output } = await runTool('systemctl', ['--user', 'is-enabled', this.#name])
    if (output.trim() !== 'enabled') return `systemd does not start ${this.#name}: it is ${output.trim() || 'not known'}.`
    return isLingering() ? null : 'Linger was turned off for the user: his services start with his first login only.'
  }

  async #run(operands: readonly string[]): Promise<void> {
    const { code, errors } = await runTool('systemctl', ['--user', ...operands], { timeoutMs: 120_000 })
    if (code === 0) return
    throw new EdgesmithError('DEVICE_COMMAND_FAILED', `systemctl --user ${operands.join(' ')} failed: ${errors.trim() || `code ${code}`}`, {
      hint: `See "journalctl --user -u ${this.#name}" on the device.`,
    })
  }
}

function isLingering(): boolean {
  return existsSync(join('/var/lib/systemd/linger', userName()))
}

/** Those that were made for the unit; one that holds something else stays. */
async function removeEmptyFolders(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rmdir(path).catch(() => undefined)
}

async function makeDurableParents(files: DurableFiles, path: string): Promise<void> {
  if (existsSync(path)) return
  await makeDurableParents(files, dirname(path))
  await makeDurableFolder(files, path)
}
