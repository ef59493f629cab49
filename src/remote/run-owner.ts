import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { DetachedRunEntry, RunOwner } from '../contract/detached-run.ts'
import { sha256Of } from '../platform/file-hash.ts'
import { isRunning } from '../platform/processes.ts'
import { localUserName } from './local-user.ts'

/** A result that nobody fetched for this long is of no use any more. */
const forgottenSeconds = 7 * 24 * 3600

/** Runs on devices that this process waits for, or still has to end. */
const wanted = new Set<string>()

/** Notes that this process wants a run; the answer takes that back. */
export function wantRun(id: string): () => void {
  wanted.add(id)
  return () => void wanted.delete(id)
}

/**
 * This process as the owner of runs on devices.
 * @param workspacePath tells workspaces of one computer apart
 */
export async function ownRunOwner(workspacePath: string): Promise<RunOwner> {
  // A name alone would not do: many boards and laptops are called alike.
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  const hostId = sha256Of(`${hostname()}\n${machine}\n${workspacePath}`).slice(0, 32)
  return { hostId, pid: process.pid, host: hostname().slice(0, 255), user: localUserName().slice(0, 255) }
}

/** Whether a run on a device can be deleted: one of this computer whose process died, or one that was never fetched. */
export function isLeftover(run: DetachedRunEntry, own: RunOwner): boolean {
  if (!run.running && run.ageSeconds > forgottenSeconds) return true
  if (run.owner?.hostId !== own.hostId) return false
  return run.owner.pid === process.pid ? !wanted.has(run.id) : !isRunning(run.owner.pid)
}

/** Whether a run goes on that disturbs ours and that our own queue knows nothing of. */
export function isStrange(run: DetachedRunEntry, own: RunOwner): boolean {
  return run.running && run.owner?.hostId !== own.hostId
}
