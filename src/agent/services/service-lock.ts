import { readFile, rename, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import { readBootId } from '../../platform/boot-id.ts'
import { diskFiles, makeDurableFolder } from '../../platform/durable-files.ts'
import { isRunning, startTicksOf } from '../../platform/processes.ts'

/** A lock that does not say which process holds it counts as left behind after this. */
const staleSeconds = 600

/**
 * Does something while nobody else changes the service. The folder `lock/` in it names who asked, and the process that works for him
 * here; a lock whose process is gone is taken over at once.
 *
 * @param folder of the service; made if need be, and removed again where nothing was put into it
 * @param owner host, process id and a random word, parted by spaces
 * @throws EdgesmithError `DEVICE_BUSY` naming owner and age, and what the work throws
 */
export async function withServiceLock<T>(folder: string, owner: string, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, 'lock')
  const mine = `${owner.replaceAll('\n', ' ')}\n${await readBootId()} ${process.pid} ${startTicksOf(process.pid)}\n`
  const services = dirname(folder)
  await diskFiles.makeFolder(dirname(services))
  for (const path of [services, folder]) await makeDurableFolder(diskFiles, path)
  let taken = await take(lock, mine)
  if (!taken) {
    const held = await holder(lock)
    if (held === null || (await isLeftBehind(held))) {
      await moveAway(lock, held?.text ?? '')
      taken = await take(lock, mine)
    }
  }
  if (!taken) throw busy(folder, await holder(lock))
  try {
    return await work()
  } finally {
    if ((await holder(lock))?.text === mine) await rm(lock, { recursive: true, force: true })
    // A service that was only locked and never written leaves nothing.
    await rmdir(folder).catch(() => undefined)
  }
}

interface Holder {
  readonly text: string
  readonly ageSeconds: number
}

/** A folder with its content appears at once; one that is not empty cannot be replaced by it. */
async function take(lock: string, text: string): Promise<boolean> {
  const prepared = `${lock}.${process.pid}`
  await rm(prepared, { recursive: true, force: true })
  await diskFiles.makeFolder(prepared)
  await diskFiles.write(join(prepared, 'owner'), text, 0o600)
  try {
    await rename(prepared, lock)
    return true
  } catch (error) {
    await rm(prepared, { recursive: true, force: true })
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || (code === 'EPERM' && process.platform === 'win32')) return false
    throw error
  }
}

async function holder(lock: string): Promise<Holder | null> {
  const found = await stat(lock).catch(() => null)
  if (found === null) return null
  const text = await readFile(join(lock, 'owner'), 'utf8').catch(() => '')
  return { text, ageSeconds: Math.round((Date.now() - found.mtimeMs) / 1000) }
}

async function isLeftBehind({ text, ageSeconds }: Holder): Promise<boolean> {
  const [bootId, pid, start] = (text.split('\n')[1] ?? '').split(' ')
  if (bootId && /^\d{1,10}$/.test(pid ?? '')) {
    if (bootId !== (await readBootId()) || !isRunning(Number(pid))) return true
    // Numbers of processes are given out again.
    const now = startTicksOf(Number(pid))
    return start !== undefined && start !== '' && now !== '' && start !== now
  }
  // A clock that was set back makes ages negative.
  return Math.abs(ageSeconds) > staleSeconds
}

/** Of two that take a lock over at once only one can move it away; the other one puts the new lock back where it moved that. */
async function moveAway(lock: string, text: string): Promise<void> {
  if (((await holder(lock))?.text ?? '') !== text) return
  const aside = `${lock}.${process.pid}.old`
  const moved = await rename(lock, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  if (((await holder(aside))?.text ?? '') !== text) await rename(aside, lock).catch(() => undefined)
  await rm(aside, { recursive: true, force: true })
}

function busy(folder: string, held: Holder | null): EdgesmithError {
  const owner = (held?.text ?? '').split('\n')[0] ?? ''
  const host = owner.split(' ')[0]?.slice(0, 60) || 'another computer'
  const ageSeconds = Math.max(0, held?.ageSeconds ?? 0)
  return new EdgesmithError('DEVICE_BUSY', `The service in ${folder} is being changed by ${host} for ${ageSeconds} s.`, {
    hint: 'Try again in a moment.',
    details: { owner, ageSeconds },
  })
}
