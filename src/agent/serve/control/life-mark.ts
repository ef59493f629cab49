import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { isPartOf } from '../../services/processes.ts'
import type { ServiceFolder } from '../../services/service-folder.ts'

/** Name of the file in a service's folder. */
export const lifeMarkFile = 'serving.json'

/**
 * `serving.json` is there for as long as a serving process lives, and stays when it crashes: that is how the next one knows. It need not survive
 * a loss of power, after which nothing has crashed.
 */
export class LifeMark {
  readonly #path: string
  readonly #folder: string

  constructor(folder: ServiceFolder) {
    this.#path = folder.at(lifeMarkFile)
    this.#folder = folder.path
  }

  /** Whether the process before this one crashed, in this boot of the machine; leaves the mark of this process. */
  async begin(bootId: string): Promise<boolean> {
    const before = this.#read()
    const part = `${this.#path}.part`
    writeFileSync(part, `${JSON.stringify({ pid: process.pid, bootId })}\n`, { mode: 0o600 })
    renameSync(part, this.#path)
    if (!before || before.bootId !== bootId) return false
    // One that hands over to this process is alive and well.
    return before.pid === process.pid || !(await isPartOf(before.pid, 'serve', this.#folder))
  }

  /** This process ends in an orderly way. */
  end(): void {
    if (this.#read()?.pid === process.pid) rmSync(this.#path, { force: true })
  }

  #read(): { pid: number; bootId: string } | null {
    try {
      const { pid, bootId } = JSON.parse(readFileSync(this.#path, 'utf8')) as Record<string, unknown>
      return typeof pid === 'number' && typeof bootId === 'string' ? { pid, bootId } : null
    } catch {
      return null
    }
  }
}
