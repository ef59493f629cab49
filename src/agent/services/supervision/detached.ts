import { spawn } from 'node:child_process'
import { cleanEnvironment } from '../../../platform/clean-environment.ts'
import { readLaunch, supervisorFlags } from '../launch.ts'
import type { Keeper } from './keeper.ts'

/** Starts a supervisor that belongs to nobody: it outlives the program that started it, and the login. */
export async function startDetached(folder: string): Promise<void> {
  const { node, agent } = await readLaunch(folder)
  const child = spawn(node, [...supervisorFlags, agent, 'supervise', folder], {
    cwd: folder,
    env: cleanEnvironment(),
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
}

/** A process of its own, which the next start of the machine does not bring back. */
export class DetachedProcess implements Keeper {
  readonly kind = 'process'
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  problem(): Promise<null> {
    return Promise.resolve(null)
  }

  /** It leaves nothing that could tell. */
  isInstalled(): Promise<boolean> {
    return Promise.resolve(false)
  }

  install(): Promise<void> {
    return Promise.resolve()
  }

  start(): Promise<void> {
    return startDetached(this.#folder)
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  uninstall(): Promise<void> {
    return Promise.resolve()
  }

  rebootNote(): Promise<string> {
    return Promise.resolve('Nothing on the machine starts it again after a reboot: start it then, or deploy with a system unit.')
  }
}
