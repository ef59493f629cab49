import { link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { startTicksOf } from '../../platform/processes.ts'

const LOOK_EVERY_MS = 500
/** Writing a name into a new file takes no time: one that is empty for so long was left by a process that died just then. */
const EMPTY_MS = 10_000

/**
 * Does something while no other process does the same: one file names who is at it. A process that is gone holds nothing.
 *
 * @param path of the lock's file; its folder must be there
 * @param onWait called again and again while another process is at it
 * @throws EdgesmithError `JOB_CANCELLED` while waiting; what `work` throws
 */
export async function withFileLock<T>(
  path: string,
  { signal, onWait }: { signal: AbortSignal; onWait: (owner: string) => void },
  work: () => Promise<T>,
): Promise<T> {
  const own = ownerText(process.pid)
  for (;;) {
    throwIfCancelled(signal)
    const holder = await take(path, own)
    if (holder === undefined) break
    if (isGone(holder) || (holder === '' && (await ageMs(path)) > EMPTY_MS)) await clear(path, holder)
    else {
      onWait(holder)
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

/** Writes the file; answers who holds it where it is there already. */
async function take(path: string, own: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(own)
    } finally {
      await file.close()
    }
    return undefined
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    return readFile(path, 'utf8').catch(() => '')
  }
}

async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )
}

/** Takes the file of a process that is gone away, unless somebody else did so and took the lock meanwhile: theirs is put back. */
async function clear(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  await rename(path, aside).catch(() => {})
  const found = await readFile(aside, 'utf8').catch(() => holder)
  if (found !== holder) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

/** Process id and when it started, in ticks since the machine did: ids are used again. */
function ownerText(pid: number): string {
  return `${pid} ${startTicksOf(pid)}`
}

function isGone(holder: string): boolean {
  const pid = Number.parseInt(holder, 10)
  // Just being written.
  if (!Number.isInteger(pid) || pid <= 0) return false
  return startTicksOf(pid) === '' || ownerText(pid) !== holder
}
