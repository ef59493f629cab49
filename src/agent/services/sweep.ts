import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Routing } from '../../contract/routing.ts'
import { isRunning } from '../../platform/processes.ts'
import type { ServiceFolder } from './service-folder.ts'

/** Failed releases that are kept, for their logs. */
const keptFailures = 3

/** Deletes parts of files whose writer is gone, in the service's folder and those of its releases. */
export async function sweepParts(folder: ServiceFolder): Promise<void> {
  const releases = await readdir(folder.at('releases')).catch(() => [])
  for (const path of [folder.path, ...releases.map((name) => join(folder.at('releases'), name))]) {
    for (const name of await readdir(path).catch(() => [])) {
      const writer = /\.(\d{1,10})(?:-\d+)?\.(?:part|old)$|^lock\.(\d{1,10})$/.exec(name)
      const pid = Number(writer?.[1] ?? writer?.[2])
      if (writer && pid !== process.pid && !isRunning(pid)) await folder.files.remove(join(path, name))
    }
  }
}

/**
 * Deletes releases that nobody needs any more: not those of the routing, not those a serving process has loaded, not the last that failed.
 * @param loaded those the serving process names
 */
export async function pruneReleases(folder: ServiceFolder, routing: Routing, loaded: readonly string[]): Promise<void> {
  const kept = new Set([...inRouting(routing), ...loaded])
  const failed: { id: string; at: string }[] = []
  const names = await readdir(folder.at('releases')).catch(() => [])
  for (const id of names) {
    const failure = kept.has(id) ? null : await folder.readFailure(id)
    if (failure) failed.push({ id, at: failure.at })
  }
  failed.sort((a, b) => (a.at < b.at ? 1 : -1))
  for (const { id } of failed.slice(0, keptFailures)) kept.add(id)
  for (const id of names) if (!kept.has(id)) await folder.files.remove(join(folder.at('releases'), id))
}

/**
 * Deletes what is known of a failure, and the release with it, unless the routing names it: then it served before it failed, or serves again.
 * @returns false where the release did not fail
 */
export async function forgetFailure(folder: ServiceFolder, release: string): Promise<boolean> {
  if ((await folder.readFailure(release)) === null) return false
  const routing = await folder.readRouting()
  if (routing && inRouting(routing).includes(release)) await folder.clearFailure(release)
  else {
    await folder.files.remove(join(folder.at('releases'), release))
    await folder.files.syncFolder(folder.at('releases'))
  }
  return true
}

/** Releases a routing names. */
export function inRouting({ current, previous, beside }: Routing): string[] {
  return [current, ...(previous === null ? [] : [previous]), ...beside.map(({ release }) => release)]
}
