import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Supervisor } from './supervisor.ts'

/**
 * `agent supervise FOLDER`: keeps the service of a folder serving, until SIGTERM or SIGINT.
 *
 * @returns the exit code: 0 stopped, 1 failed, {@link nothingToDo} where there is nothing to supervise
 */
export async function superviseCommand(path: string): Promise<number> {
  const folder = resolve(path)
  process.stdout.on('error', () => undefined)
  process.stderr.on('error', () => undefined)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const supervisor = new Supervisor(folder)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => supervisor.stop())
  process.on('SIGHUP', () => supervisor.handOver())
  return supervisor.run()
}
