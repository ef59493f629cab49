import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { say } from './progress.mjs'
import { explainFileError, SetupError } from './setup-error.mjs'

/** A lock file without readable content was cut off between creation and writing; nobody needs longer than this for one write. */
const unreadableGraceMs = 5_000
const pollMs = 200

/**
 * Tells one process from a later one with the same pid (and from one before a reboot). Linux only; elsewhere the pid has to do.
 * @param {number} pid
 * @returns {string}
 */
function processIdentity(pid) {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields 3 (state) and 22 (start time), counted behind the command name, which may itself contain spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie still has its number, but does nothing any more.
    return fields[0] === 'Z' ? '' : `${boot}:${fields[19]}`
  } catch {
    return ''
  }
}

/**
 * @param {{ pid: number, identity: string }} owner
 * @returns {boolean}
 */
function isAlive(owner) {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH') return false
  }
  return owner.identity === '' || owner.identity === processIdentity(owner.pid)
}

/**
 * @param {string} lockFile
 * @returns {{ text: string, owner: { pid: number, identity: string } | undefined } | undefined} undefined when there is no lock
 */
function readLock(lockFile) {
  let text
  try {
    text = readFileSync(lockFile, 'utf8')
  } catch {
    return undefined
  }
  try {
    const { pid, identity } = JSON.parse(text)
    if (Number.isInteger(pid) && typeof identity === 'string') return { text, owner: { pid, identity } }
  } catch {
    // Cut off while being written: handled by its age.
  }
  return { text, owner: undefined }
}

/**
 * Removes a dead owner's lock. Two waiters may try at once: the rename lets only one of them have the file, and a live lock caught
 * by mistake (taken between reading and renaming) is put back.
 * @param {string} lockFile
 * @param {string} staleText
 */
function removeStaleLock(lockFile, staleText) {
  const aside = `${lockFile}.stale.${process.pid}`
  try {
    renameSync(lockFile, aside)
    if (readFileSync(aside, 'utf8') !== staleText) writeFileSync(lockFile, readFileSync(aside), { flag: 'wx' })
  } catch {
    // Somebody else was quicker.
  }
  rmSync(aside, { force: true })
}

/**
 * Runs work while holding a lock file that carries the owner's pid. Waits for a living owner, takes over from a dead one.
 * @template T
 * @param {string} lockFile
 * @param {() => Promise<T>} work
 * @param {{ waitMs?: number }} [options] how long to wait for another process, 20 minutes by default (a full set-up on a slow line)
 * @returns {Promise<T>}
 * @throws {SetupError} LOCKED when the other process did not finish in time; NOT_WRITABLE, DISK_FULL
 */
export async function withProcessLock(lockFile, work, { waitMs = 20 * 60_000 } = {}) {
  const content = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) })
  const deadline = Date.now() + waitMs
  let announced = false
  for (;;) {
    try {
      mkdirSync(dirname(lockFile), { recursive: true })
      writeFileSync(lockFile, content, { flag: 'wx' })
      break
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw explainFileError(error, lockFile)
    }
    const held = readLock(lockFile)
    if (!held) continue
    const age = Date.now() - (statSync(lockFile, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (held.owner ? !isAlive(held.owner) : age > unreadableGraceMs) {
      removeStaleLock(lockFile, held.text)
      continue
    }
    if (Date.now() > deadline) {
      const hint = `Wait for it, or end it, then run the same command again. Lock file: ${lockFile}`
      throw new SetupError('LOCKED', `Another Edgesmith set-up (process ${held.owner?.pid}) has not finished`, hint)
    }
    if (!announced) say(`Waiting for another Edgesmith set-up (process ${held.owner?.pid ?? 'unknown'}) to finish …`)
    announced = true
    await sleep(pollMs)
  }
  try {
    return await work()
  } finally {
    if (readLock(lockFile)?.text === content) rmSync(lockFile, { force: true })
  }
}
