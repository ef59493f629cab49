import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LOCAL_DEVICE_NAME } from '../contract/device.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { lastLines } from '../platform/last-lines.ts'
import { commandLineOf, endProcess } from '../platform/processes.ts'

/** Files that name a process of a service: of its supervisor, of the process that answers, and what versions before 4 wrote. */
const processFiles = ['supervisor.json', 'state.json'] as const
/** An answering process drains its requests within this. */
const endTimeoutMs = 10_000

/** Names of the folders of services below a root. */
export async function findLocalServices(root: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, 'services'), { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/**
 * The last lines of a service's log, read without starting an agent: somebody follows it.
 * @throws EdgesmithError NOT_FOUND
 */
export async function readLocalLog(root: string, service: string, lines: number): Promise<string> {
  const folder = join(root, 'services', service)
  if (!(await findLocalServices(root)).includes(service)) {
    throw new EdgesmithError('NOT_FOUND', `${LOCAL_DEVICE_NAME} has no service ${service}`, { hint: 'Deploy it first.' })
  }
  return lastLines([join(folder, 'log.1'), join(folder, 'log')], lines)
}

/**
 * Ends what still runs from folders of services: what the agent could not end, being damaged or another version. Processes are known by
 * their command line, which names the folder: numbers of processes are given out again.
 */
export async function endLocalServices(root: string): Promise<void> {
  for (const service of await findLocalServices(root)) {
    const folder = join(root, 'services', service)
    // The supervisor first: it would start the other one again.
    for (const pid of await notedProcesses(folder)) {
      await endProcess(pid, async () => (await commandLineOf(pid)).includes(folder), endTimeoutMs)
    }
  }
}

async function notedProcesses(folder: string): Promise<readonly number[]> {
  const releases = await readdir(join(folder, 'releases')).catch(() => [])
  const paths = [
    ...processFiles.map((name) => join(folder, name)),
    ...releases.flatMap((release) => [join(folder, 'releases', release, 'pid'), join(folder, 'releases', release, 'state.json')]),
  ]
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
  const found = texts.map((text) => Number(/^\s*(?:\{.*?"pid"\s*:\s*)?(\d{1,10})\b/s.exec(text)?.[1] ?? Number.NaN))
  return [...new Set(found.filter((pid) => Number.isSafeInteger(pid) && pid > 1))]
}
