import { readFileSync, rmSync } from 'node:fs'
import { type ServiceState, serviceStateSchema } from '../../contract/service.ts'
import { diskFiles, replaceFile } from '../../platform/durable-files.ts'

/** Writes the state so that a reader sees all of it or none. */
export function writeStateFile(path: string, state: ServiceState): Promise<void> {
  return replaceFile(diskFiles, path, `${JSON.stringify(state)}\n`, { mode: 0o644 })
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
