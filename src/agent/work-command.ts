import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { UNATTENDED_LIMIT_MS, UNWRITABLE_EXIT_CODE } from '../contract/detached-run.ts'
import { carryOut } from './run-command.ts'
import { endUnattended } from './unattended.ts'

/** Exit code of a process that SIGTERM ended, as shells tell it. */
const TERMINATED_EXIT_CODE = 143
/** How often the worker looks whether somebody follows it: rarely enough that a measurement does not notice. */
const LOOK_MS = 300_000

/**
 * `agent work FOLDER`: carries out the request in a folder, with its messages on standard output, which is a file there. No link ends
 * it: SIGTERM does, and nobody following it for six hours.
 *
 * @returns the exit code: 0 after a result, 1 after an error
 */
export async function workCommand(folder: string): Promise<number> {
  process.on('SIGHUP', () => undefined)
  process.on('SIGTERM', () => process.exit(TERMINATED_EXIT_CODE))
  process.stdout.on('error', () => process.exit(UNWRITABLE_EXIT_CODE))
  new Worker(`(${endUnattended.toString()})(${JSON.stringify(join(folder, 'attached'))}, ${UNATTENDED_LIMIT_MS}, ${LOOK_MS})`, {
    eval: true,
  }).unref()
  return carryOut(readFile(join(folder, 'request'), 'utf8'))
}
