import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { releaseIdSchema } from '../../contract/service.ts'
import { endProcess } from '../../platform/processes.ts'
import { readLine } from '../../platform/read-file.ts'
import { isPartOf } from './processes.ts'
import type { ServiceFolder } from './service-folder.ts'

/** Older services finish what is in flight in less. */
const graceMs = 12_000

/** Names of releases as versions before 0.4 wrote them: a `config.json` in each, and `pid` where one ran. */
async function olderReleases(folder: ServiceFolder): Promise<string[]> {
  const names = await readdir(folder.at('releases')).catch(() => [])
  return names.filter((name) => !releaseIdSchema.safeParse(name).success && existsSync(folder.releasePath(name, 'config.json')))
}

/** Port of the service that ran in the older layout; null where none did. */
export async function olderPort(folder: ServiceFolder): Promise<number | null> {
  const current = await readLine(folder.at('current'))
  if (current === null || !/^[\w.-]{1,80}$/.test(current)) return null
  const { readFile } = await import('node:fs/promises')
  try {
    const config = JSON.parse(await readFile(folder.releasePath(current, 'config.json'), 'utf8')) as { port?: unknown }
    return typeof config.port === 'number' && config.port > 0 ? config.port : null
  } catch {
    return null
  }
}

/** Whether the folder holds a service that an older version deployed. */
export async function isOlderService(folder: ServiceFolder): Promise<boolean> {
  return (await olderReleases(folder)).length > 0
}

/** Ends what an older version started, and deletes its releases. */
export async function endOlderService(folder: ServiceFolder): Promise<void> {
  for (const name of await olderReleases(folder)) {
    const pid = Number(await readLine(folder.releasePath(name, 'pid')))
    await endProcess(pid, () => isPartOf(pid, 'serve', folder.releasePath(name, 'config.json')), graceMs)
    await folder.files.remove(join(folder.at('releases'), name))
  }
  for (const name of ['current', 'current.new']) await folder.files.remove(folder.at(name))
}
