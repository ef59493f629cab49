import { join } from 'node:path'
import { readBootId } from '../../platform/boot-id.ts'
import { type DurableFiles, replaceFile } from '../../platform/durable-files.ts'
import { isRunning } from '../../platform/processes.ts'
import { readIfThere } from '../../platform/read-file.ts'

/** Files of a service that a deploy may change before it is decided. */
const changedFiles = ['service.json', 'routing.json', 'runtime', 'node', 'stopped', 'webhook-secret'] as const
const longestBytes = 50_000_000

/** `undo.json`: what was in those files (null: they were not there), and who changes them. */
interface Undo {
  readonly bootId: string
  readonly pid: number
  /** Once the serving process has given this release a place, the changes belong to it; null where they are to be undone anyway. */
  readonly release: string | null
  readonly files: Readonly<Record<string, string | null>>
}

/**
 * Notes what is there now; from then on {@link undoChanges} brings it back, also after a loss of power.
 * @param release gets its place from the serving process, which writes `routing.json` by itself; null where the deploy writes it
 */
export async function noteForUndo(files: DurableFiles, folder: string, release: string | null): Promise<void> {
  const before: Record<string, string | null> = {}
  for (const name of changedFiles) {
    if (name !== 'routing.json' || release === null) before[name] = await readIfThere(join(folder, name), longestBytes)
  }
  const undo: Undo = { bootId: await readBootId(), pid: process.pid, release, files: before }
  await replaceFile(files, join(folder, 'undo.json'), `${JSON.stringify(undo)}\n`)
}

/** The changes stay. */
export async function forgetUndo(files: DurableFiles, folder: string): Promise<void> {
  await files.remove(join(folder, 'undo.json'))
  await files.syncFolder(folder)
}

/**
 * Brings back what was noted, if a deploy did not come to its end. May be interrupted and done again.
 * @returns whether something was changed back
 */
export async function undoChanges(files: DurableFiles, folder: string): Promise<boolean> {
  const undo = await readUndo(folder)
  if (undo === null) return false
  const done = undo.release !== null && (await hasPlace(folder, undo.release))
  if (!done) {
    for (const name of changedFiles) {
      const text = undo.files[name]
      if (typeof text === 'string') await replaceFile(files, join(folder, name), text)
      else if (text === null) await files.remove(join(folder, name))
    }
    await files.syncFolder(folder)
  }
  await forgetUndo(files, folder)
  return !done
}

async function hasPlace(folder: string, release: string): Promise<boolean> {
  const text = await readIfThere(join(folder, 'routing.json'), longestBytes)
  const { current, beside } = JSON.parse(text ?? '{}') as { current?: string; beside?: { release: string }[] }
  return current === release || (beside ?? []).some((one) => one.release === release)
}

/** Whether a deploy that is still going on noted something. */
export async function isBeingChanged(folder: string): Promise<boolean> {
  const undo = await readUndo(folder)
  return undo !== null && undo.bootId === (await readBootId()) && isRunning(undo.pid)
}

async function readUndo(folder: string): Promise<Undo | null> {
  const text = await readIfThere(join(folder, 'undo.json'), 2 * longestBytes)
  if (text === null) return null
  const undo: Partial<Undo> = JSON.parse(text)
  return { bootId: String(undo.bootId), pid: Number(undo.pid), release: undo.release ?? null, files: undo.files ?? {} }
}
