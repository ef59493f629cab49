import { readFileSync, rmSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ServiceState, serviceStateSchema } from '../../contract/service.ts'

/** Writes the state so that a reader sees all of it or none: under another name, synced, then renamed. */
export async function writeStateFile(path: string, state: ServiceState): Promise<void> {
  const temporary = `${path}.${state.pid}.part`
  const file = await open(temporary, 'w', 0o644)
  try {
    await file.writeFile(`${JSON.stringify(state)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** Removes the state if it is still this process's; a successor may have written its own. */
export function removeStateFile(path: string, pid: number): void {
  try {
    const state = serviceStateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    if (state.success && state.data.pid === pid) rmSync(path)
  } catch {
    // Gone already, or not ours.
  }
}
