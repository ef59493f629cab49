import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EdgesmithError } from '../../../contract/errors.ts'
import { shellQuote } from '../../../core/shell-quote.ts'
import { startDetached } from './detached.ts'
import type { Keeper } from './keeper.ts'
import { runTool, type ToolAnswer } from './run-tool.ts'
import { unitName, userName } from './unit-name.ts'
import { systemUnitText, type UnitPlaces } from './unit-text.ts'

const unitsFolder = '/etc/systemd/system'

/** A unit of the system's systemd, put there through `sudo -n`; the service runs as the user himself. */
export class SystemUnit implements Keeper {
  readonly kind = 'system-unit'
  readonly #places: UnitPlaces
  readonly #name: string

  constructor(places: UnitPlaces) {
    this.#places = places
    this.#name = unitName(places.root, places.service)
  }

  get #path(): string {
    return join(unitsFolder, this.#name)
  }

  async problem(): Promise<string | null> {
    if (!existsSync('/run/systemd/system')) return 'the machine is not run by systemd'
    if (process.getuid?.() === 0) return null
    const { code } = await runTool('sudo', ['-n', 'true'])
    return code === 0 ? null : 'sudo asks for a password, or is not there'
  }

  async isInstalled(): Promise<boolean> {
    return existsSync(this.#path)
  }

  /** @throws EdgesmithError `SUDO_NEEDED` with the commands that root must run, unless they were run already */
  async requireRights(): Promise<void> {
    if (!(await this.#isAsWanted()) && (await this.problem()) !== null) throw this.#sudoNeeded(this.#text)
  }

  /** @throws EdgesmithError as {@link requireRights} */
  async install(): Promise<void> {
    if (await this.#isAsWanted()) return
    await this.requireRights()
    const text = this.#text
    const part = `${this.#path}.part`
    await this.#root(['tee', part], text)
    await this.#root(['chmod', '644', part])
    await this.#root(['sync', part])
    await this.#root(['mv', part, this.#path])
    await this.#root(['systemctl', 'daemon-reload'])
    await this.#root(['systemctl', 'enable', this.#name])
  }

  /** Without root rights the supervisor is started beside systemd, which starts it with the machine from then on. */
  async start(): Promise<void> {
    if ((await this.problem()) !== null) return startDetached(this.#places.folder)
    await runTool('systemctl', ['reset-failed', this.#name])
    await this.#root(['systemctl', 'restart', this.#name])
  }

  async stop(): Promise<void> {
    if ((await this.isInstalled()) && (await this.problem()) === null) await this.#root(['systemctl', 'stop', this.#name])
  }

  async uninstall(): Promise<void> {
    if (!existsSync(this.#path)) return
    if ((await this.problem()) !== null) {
      throw new EdgesmithError('SUDO_NEEDED', `The unit ${this.#name} can only be removed by root, and sudo asks for a password.`, {
        hint: `Run on the device: sudo systemctl disable --now ${this.#name} && sudo rm ${this.#path} && sudo systemctl daemon-reload`,
      })
    }
    await this.#root(['systemctl', 'disable', '--now', this.#name])
    await this.#root(['rm', '-f', this.#path])
    await this.#root(['systemctl', 'daemon-reload'])
    await runTool('systemctl', ['reset-failed', this.#name])
  }

  async rebootNote(): Promise<string | null> {
    const { output } = await runTool('systemctl', ['is-enabled', this.#name])
    return output.trim() === 'enabled' ? null : `systemd does not start ${this.#name}: it is ${output.trim() || 'not known'}.`
  }

  get #text(): string {
    return systemUnitText(this.#places, userName())
  }

  async #isAsWanted(): Promise<boolean> {
    const written = await readFile(this.#path, 'utf8').catch(() => null)
    return written === this.#text && (await this.rebootNote()) === null
  }

  async #root(operands: readonly string[], input?: string): Promise<ToolAnswer> {
    const [program, ...rest] = process.getuid?.() === 0 ? operands : ['sudo', '-n', ...operands]
    const answer = await runTool(program as string, rest, { ...(input !== undefined && { input }), timeoutMs: 120_000 })
    if (answer.code === 0) return answer
    throw new EdgesmithError('DEVICE_COMMAND_FAILED', `${operands.join(' ')} failed: ${answer.errors.trim() || `code ${answer.code}`}`, {
      hint: `See "journalctl -u ${this.#name}" on the device.`,
    })
  }

  #sudoNeeded(text: string): EdgesmithError {
    const write = `printf %s ${shellQuote(text)} | sudo tee ${this.#path} >/dev/null`
    return new EdgesmithError('SUDO_NEEDED', 'A system unit needs root rights, and sudo asks for a password or is not there.', {
      hint: `Deploy without a system unit, or run on the device and deploy again: ${write} && sudo systemctl daemon-reload && sudo systemctl enable ${this.#name}`,
      details: { unit: this.#name, text },
    })
  }
}
